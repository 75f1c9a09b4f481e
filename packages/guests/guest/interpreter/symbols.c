#include "symbols.h"

#include <stddef.h>

#include "memory.h"
#include "panic.h"

#define FNV_START 2166136261u
#define FNV_FACTOR 16777619u

static uint32_t hash_of(struct word name) {
  uint32_t hash = FNV_START;
  for (uint32_t i = 0; i < name.bytes; i++) hash = (hash ^ (uint8_t)name.text[i]) * FNV_FACTOR;
  return hash;
}

void symbols_make(struct symbols *symbols) {
  symbols->count = 0;
  table_make(&symbols->places);
}

void symbols_release(struct symbols *symbols) {
  table_release(&symbols->places);
}

uint32_t *symbols_find(struct symbols *symbols, struct word name) {
  const uint32_t *const place = table_get(&symbols->places, hash_of(name));
  if (place == NULL) return NULL;
  const struct word found = symbols->names[*place];
  if (found.bytes != name.bytes || memcmp(found.text, name.text, name.bytes) != 0) {
    panic("interpreter: two names have the same hash");
  }
  return &symbols->values[*place];
}

void symbols_add(struct symbols *symbols, struct word name, uint32_t value) {
  if (symbols->count == SYMBOLS_MAX) panic("interpreter: too many names");
  symbols->names[symbols->count] = name;
  symbols->values[symbols->count] = value;
  table_put(&symbols->places, hash_of(name), symbols->count++);
}

struct word word_of(const char *text) {
  uint32_t bytes = 0;
  while (text[bytes] != '\0') bytes++;
  return (struct word){text, bytes};
}
