// Recursion: Takeuchi's function, Ackermann's, the queens' problem, and permutations.
#include "program.h"

#define QUEENS 8
#define ITEMS 7

const char program_name[] = "recursion";
uint32_t program_rounds = 360;

static int32_t takeuchi(int32_t x, int32_t y, int32_t z) {
  if (y >= x) return z;
  return takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

static uint32_t ackermann(uint32_t m, uint32_t n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

static uint32_t queens(uint32_t columns, uint32_t left, uint32_t right) {
  const uint32_t all = (1u << QUEENS) - 1;
  if (columns == all) return 1;
  uint32_t solutions = 0;
  for (uint32_t free = all & ~(columns | left | right); free != 0; free &= free - 1) {
    const uint32_t place = free & (0 - free);
    solutions += queens(columns | place, (left | place) << 1, (right | place) >> 1);
  }
  return solutions;
}

static uint32_t items[ITEMS];

static uint32_t permute(uint32_t from, uint32_t digest) {
  if (from == ITEMS) return program_digest(digest, items[0] * 64 + items[ITEMS - 1] * 8 + items[ITEMS / 2]);
  for (uint32_t i = from; i < ITEMS; i++) {
    const uint32_t item = items[i];
    items[i] = items[from];
    items[from] = item;
    digest = permute(from + 1, digest);
    items[from] = items[i];
    items[i] = item;
  }
  return digest;
}

uint32_t program_round(uint32_t round) {
  const int32_t shift = (int32_t)(round % 3);
  uint32_t digest = program_digest(round, (uint32_t)takeuchi(12 + shift, 8, 4));
  digest = program_digest(digest, ackermann(2, 60 + round % 7));
  digest = program_digest(digest, queens(0, 0, 0));
  for (uint32_t i = 0; i < ITEMS; i++) items[i] = (i + round) % ITEMS;
  return permute(0, digest);
}
