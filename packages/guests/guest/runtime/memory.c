#include "memory.h"

#include <stdint.h>

#define WORD_BYTES 4

static int is_word_aligned(const void *address) {
  return ((uintptr_t)address & (WORD_BYTES - 1)) == 0;
}

// Words that may lie over objects of any type.
typedef uint32_t __attribute__((may_alias)) word;

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
  uint8_t *target = to;
  const uint8_t *source = from;
  if (is_word_aligned(to) && is_word_aligned(from)) {
    for (; bytes >= WORD_BYTES; bytes -= WORD_BYTES, target += WORD_BYTES, source += WORD_BYTES) {
      *(word *)(void *)target = *(const word *)(const void *)source;
    }
  }
  while (bytes-- > 0) *target++ = *source++;
  return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
  uint8_t *target = to;
  const uint8_t *source = from;
  if ((uintptr_t)to <= (uintptr_t)from) {
    for (size_t i = 0; i < bytes; i++) target[i] = source[i];
  } else {
    for (size_t i = bytes; i-- > 0;) target[i] = source[i];
  }
  return to;
}

void *memset(void *to, int byte, size_t bytes) {
  uint8_t *target = to;
  if (is_word_aligned(to)) {
    const uint32_t pattern = (uint8_t)byte * 0x01010101u;
    for (; bytes >= WORD_BYTES; bytes -= WORD_BYTES, target += WORD_BYTES) *(word *)(void *)target = pattern;
  }
  while (bytes-- > 0) *target++ = (uint8_t)byte;
  return to;
}

int memcmp(const void *left, const void *right, size_t bytes) {
  const uint8_t *a = left;
  const uint8_t *b = right;
  for (size_t i = 0; i < bytes; i++) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}
