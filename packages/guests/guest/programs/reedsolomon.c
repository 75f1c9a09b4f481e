// Tables: encodes blocks with a Reed-Solomon code over GF(256), damages them, and computes their syndromes.
#include "program.h"

#define DATA 223
#define PARITY 32
#define BLOCK (DATA + PARITY)
#define POLYNOMIAL 0x11Du

const char program_name[] = "reedsolomon";
uint32_t program_rounds = 900;

static uint8_t powers[512];
static uint8_t logarithms[256];
static uint8_t generator[PARITY + 1];
static uint8_t block[BLOCK];

static uint8_t multiply(uint8_t a, uint8_t b) {
  if (a == 0 || b == 0) return 0;
  return powers[(uint32_t)logarithms[a] + logarithms[b]];
}

static void initialise(void) {
  uint32_t power = 1;
  for (uint32_t i = 0; i < 255; i++) {
    powers[i] = powers[i + 255] = (uint8_t)power;
    logarithms[power] = (uint8_t)i;
    power <<= 1;
    if ((power & 0x100) != 0) power ^= POLYNOMIAL;
  }
  for (uint32_t i = 0; i <= PARITY; i++) generator[i] = i == 0;
  for (uint32_t root = 0; root < PARITY; root++) {
    for (uint32_t i = root + 1; i > 0; i--) generator[i] = generator[i - 1] ^ multiply(generator[i], powers[root]);
    generator[0] = multiply(generator[0], powers[root]);
  }
}

// The remainder of the data, as the highest coefficients, divided by the generator.
static void encode(void) {
  uint8_t *const parity = block + DATA;
  for (uint32_t i = 0; i < PARITY; i++) parity[i] = 0;
  for (uint32_t i = 0; i < DATA; i++) {
    const uint8_t feedback = block[i] ^ parity[0];
    for (uint32_t k = 0; k + 1 < PARITY; k++) parity[k] = parity[k + 1] ^ multiply(feedback, generator[PARITY - 1 - k]);
    parity[PARITY - 1] = multiply(feedback, generator[0]);
  }
}

static uint32_t syndromes(uint32_t digest) {
  for (uint32_t root = 0; root < PARITY; root++) {
    uint8_t value = 0;
    for (uint32_t i = 0; i < BLOCK; i++) value = multiply(value, powers[root]) ^ block[i];
    digest = program_digest(digest, value);
  }
  return digest;
}

uint32_t program_round(uint32_t round) {
  if (powers[0] == 0) initialise();
  uint32_t seed = round + 1;
  for (uint32_t i = 0; i < DATA; i++) block[i] = (uint8_t)(program_random(&seed) >> 11);
  encode();
  uint32_t digest = syndromes(0);
  const uint32_t hit = program_random(&seed) % BLOCK;
  block[hit] ^= (uint8_t)(1 + program_random(&seed) % 255);
  digest = syndromes(digest);
  return digest;
}
