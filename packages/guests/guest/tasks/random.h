// Pseudo-random numbers: Marsaglia's xorshift of 32 bits.
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

// The state must not be zero, and never becomes so.
static inline uint32_t random_next(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

#endif
