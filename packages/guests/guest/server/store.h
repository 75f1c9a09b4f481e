// Keys and their values, and the totals over all of them, which are kept up to date with each change. All arithmetic is
// modulo 2^32.
#ifndef STORE_H
#define STORE_H

#include <stdint.h>

#include "request.h"

struct totals {
  uint32_t keys;
  uint32_t sum;    // of the values
  uint32_t digest; // sum of the CRC-32 of each key (as text) and its value
};

void store_initialise(void);

// The value of a key, NULL where it is not there.
const uint32_t *store_get(const struct name *key);

// False where there is no room for another key.
int store_put(const struct name *key, uint32_t value);

// Computes the totals again from all that is stored. Panics where they are not those that were kept.
struct totals store_totals(void);

#endif
