// Dynamic programming: the best alignment of two sequences with a table of all scores, and the way back through it.
#include "program.h"

#define LENGTH 1023u
#define SIDE (LENGTH + 1)
#define GAP 3

const char program_name[] = "alignment";
uint32_t program_rounds = 20;

static uint8_t one[LENGTH];
static uint8_t other[LENGTH];
static int32_t scores[SIDE][SIDE];

static int32_t similarity(uint32_t i, uint32_t j) {
  return one[i] == other[j] ? 5 : -4;
}

// A sequence, and a copy of it with changes, insertions and deletions.
static void make_sequences(uint32_t seed) {
  for (uint32_t i = 0; i < LENGTH; i++) one[i] = (uint8_t)(program_random(&seed) % 4);
  uint32_t from = 0;
  for (uint32_t i = 0; i < LENGTH; i++) {
    const uint32_t chance = program_random(&seed);
    if (chance % 16 == 0) from++;
    other[i] = from < LENGTH && chance % 7 != 1 ? one[from] : (uint8_t)(chance >> 8 & 3);
    if (chance % 16 != 2) from++;
  }
}

static void fill(void) {
  for (uint32_t j = 0; j < SIDE; j++) scores[0][j] = -GAP * (int32_t)j;
  for (uint32_t i = 1; i < SIDE; i++) {
    scores[i][0] = -GAP * (int32_t)i;
    for (uint32_t j = 1; j < SIDE; j++) {
      int32_t best = scores[i - 1][j - 1] + similarity(i - 1, j - 1);
      if (scores[i - 1][j] - GAP > best) best = scores[i - 1][j] - GAP;
      if (scores[i][j - 1] - GAP > best) best = scores[i][j - 1] - GAP;
      scores[i][j] = best;
    }
  }
}

// Adds the way back up again; it has to come to the score at the end of the table.
static uint32_t walk_back(uint32_t *digest) {
  uint32_t i = LENGTH;
  uint32_t j = LENGTH;
  int32_t sum = 0;
  while (i > 0 || j > 0) {
    if (i > 0 && j > 0 && scores[i][j] == scores[i - 1][j - 1] + similarity(i - 1, j - 1)) {
      sum += similarity(--i, --j);
    } else {
      sum -= GAP;
      if (i > 0 && scores[i][j] == scores[i - 1][j] - GAP) i--;
      else j--;
    }
    *digest = program_digest(*digest, i << 16 | j);
  }
  return (uint32_t)sum;
}

uint32_t program_round(uint32_t round) {
  make_sequences(round + 3);
  fill();
  uint32_t digest = 0;
  const uint32_t sum = walk_back(&digest);
  return sum == (uint32_t)scores[LENGTH][LENGTH] ? program_digest(digest, sum) : 0;
}
