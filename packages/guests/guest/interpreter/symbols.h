// Names with numbers.
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stdint.h>

#include "table.h"

#define SYMBOLS_MAX 64u

// A piece of a text.
struct word {
  const char *text;
  uint32_t bytes;
};

struct symbols {
  struct table places; // in `names`, by the hash of the name
  struct word names[SYMBOLS_MAX];
  uint32_t values[SYMBOLS_MAX];
  uint32_t count;
};

void symbols_make(struct symbols *symbols);
void symbols_release(struct symbols *symbols);

// NULL where the name is not there.
uint32_t *symbols_find(struct symbols *symbols, struct word name);

void symbols_add(struct symbols *symbols, struct word name, uint32_t value);

struct word word_of(const char *text);

#endif
