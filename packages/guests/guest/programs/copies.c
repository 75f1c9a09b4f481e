// Copies: of words, of bytes at any alignment, overlapping ones in both directions, and fills and comparisons.
#include <stddef.h>

#include "program.h"

#define BYTES 16384

const char program_name[] = "copies";
uint32_t program_rounds = 2500;

// Words may lie over bytes.
typedef uint32_t __attribute__((may_alias)) word;

static uint8_t source[BYTES] __attribute__((aligned(4)));
static uint8_t target[BYTES] __attribute__((aligned(4)));

static void copy_words(word *to, const word *from, uint32_t words) {
  for (; words >= 8; words -= 8, to += 8, from += 8) {
    const word a = from[0], b = from[1], c = from[2], d = from[3], e = from[4], f = from[5], g = from[6], h = from[7];
    to[0] = a, to[1] = b, to[2] = c, to[3] = d, to[4] = e, to[5] = f, to[6] = g, to[7] = h;
  }
  while (words-- > 0) *to++ = *from++;
}

static void copy_bytes(uint8_t *to, const uint8_t *from, uint32_t bytes) {
  while (bytes-- > 0) *to++ = *from++;
}

static void move(uint8_t *to, const uint8_t *from, uint32_t bytes) {
  if (to <= from) {
    copy_bytes(to, from, bytes);
    return;
  }
  for (uint32_t i = bytes; i-- > 0;) to[i] = from[i];
}

static uint32_t common(const uint8_t *one, const uint8_t *other, uint32_t bytes) {
  uint32_t same = 0;
  while (same < bytes && one[same] == other[same]) same++;
  return same;
}

uint32_t program_round(uint32_t round) {
  uint32_t seed = 3 * round + 1;
  word *const words = (word *)(void *)source;
  for (uint32_t i = 0; i < 64; i++) words[program_random(&seed) % (BYTES / 4)] = seed;
  copy_words((word *)(void *)target, words, BYTES / 4);
  const uint32_t shift = 1 + seed % 61;
  copy_bytes(target + shift, source, BYTES / 4 - shift);
  move(target + BYTES / 2, target + BYTES / 2 + shift, BYTES / 4);
  move(source + shift, source, BYTES / 4);
  uint32_t digest = common(source, target, BYTES);
  digest = program_digest(digest, common(source + BYTES / 4, target + BYTES / 4, BYTES / 4));
  for (uint32_t i = 0; i < BYTES / 4; i += 31) digest = program_digest(digest, words[i] ^ ((word *)(void *)target)[i]);
  return digest;
}
