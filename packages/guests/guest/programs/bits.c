// Bit manipulation: transposes matrices of bits, counts, reverses and scatters bits, and draws with Gray's code.
#include "program.h"

#define SIZE 32

const char program_name[] = "bits";
uint32_t program_rounds = 30000;

static uint32_t matrix[SIZE];

// H. S. Warren, Hacker's Delight, 7-3.
static void transpose(void) {
  uint32_t mask = 0x0000FFFFu;
  for (uint32_t width = SIZE / 2; width != 0; width >>= 1, mask ^= mask << width) {
    for (uint32_t row = 0; row < SIZE; row = (row + width + 1) & ~width) {
      const uint32_t swapped = (matrix[row] ^ matrix[row + width] >> width) & mask;
      matrix[row] ^= swapped;
      matrix[row + width] ^= swapped << width;
    }
  }
}

static uint32_t count(uint32_t word) {
  word -= word >> 1 & 0x55555555u;
  word = (word & 0x33333333u) + (word >> 2 & 0x33333333u);
  word = (word + (word >> 4)) & 0x0F0F0F0Fu;
  return word * 0x01010101u >> 24;
}

static uint32_t reverse(uint32_t word) {
  word = (word & 0x55555555u) << 1 | (word >> 1 & 0x55555555u);
  word = (word & 0x33333333u) << 2 | (word >> 2 & 0x33333333u);
  word = (word & 0x0F0F0F0Fu) << 4 | (word >> 4 & 0x0F0F0F0Fu);
  word = (word & 0x00FF00FFu) << 8 | (word >> 8 & 0x00FF00FFu);
  return word << 16 | word >> 16;
}

// The low bits of `word`, to where `mask` has ones.
static uint32_t scatter(uint32_t word, uint32_t mask) {
  uint32_t scattered = 0;
  for (; mask != 0; mask &= mask - 1, word >>= 1) {
    if ((word & 1) != 0) scattered |= mask & (0 - mask);
  }
  return scattered;
}

uint32_t program_round(uint32_t round) {
  uint32_t seed = 0x1234567u + round;
  for (uint32_t i = 0; i < SIZE; i++) matrix[i] = program_random(&seed);
  transpose();
  uint32_t digest = 0;
  uint32_t gray = 0;
  for (uint32_t i = 0; i < SIZE; i++) {
    const uint32_t word = reverse(matrix[i]);
    gray ^= 1u << (count(i ^ (i + 1)) - 1);
    digest = program_digest(digest, word ^ count(word) ^ scatter(word, matrix[gray & (SIZE - 1)]));
  }
  return digest;
}
