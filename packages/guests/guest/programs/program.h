// What each of the programs for measurements defines: it computes, and knows nothing of the machine. So it can be built
// for any other machine too, and has to come to the same there.
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdint.h>

extern const char program_name[];

// How many rounds the program takes where nobody says otherwise. Not a constant, so that each program has data that is
// initialised: it keeps the other data off the last page of code.
extern uint32_t program_rounds;

// One round; `round` counts from 0. Gives a digest of what it computed.
uint32_t program_round(uint32_t round);

// A random sequence, of which `*state`, never 0, is the place.
static inline uint32_t program_random(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  *state = x;
  return x;
}

// A digest of one word more.
static inline uint32_t program_digest(uint32_t digest, uint32_t word) {
  digest = (digest ^ word) * 0x9E3779B1u;
  return digest ^ digest >> 15;
}

#endif
