// Conway's Game of Life on a torus. It starts from a pattern that is its own mirror image, and must stay so.
#include "crc32.h"
#include "programs.h"
#include "random.h"
#include "systemCalls.h"

#define ROWS 128u
#define COLUMNS 256u
#define GENERATIONS 2u // an even number
#define ALIVE_OF_16 5u // how densely the first generation is populated
#define NEIGHBOURS_TO_LIVE 2u
#define NEIGHBOURS_TO_BE_BORN 3u

typedef uint8_t grid[ROWS][COLUMNS]; // 1: alive

struct memory {
  grid now;
  grid next;
};

static void populate(grid cells, uint32_t seed) {
  for (uint32_t row = 0; row < ROWS; row++) {
    for (uint32_t column = 0; column < COLUMNS / 2; column++) {
      const uint8_t alive = random_next(&seed) % 16 < ALIVE_OF_16;
      cells[row][column] = alive;
      cells[row][COLUMNS - 1 - column] = alive;
    }
  }
}

// How many live in the same column of three rows.
static uint32_t column_of(const uint8_t *above, const uint8_t *here, const uint8_t *below, uint32_t column) {
  return (uint32_t)above[column] + here[column] + below[column];
}

static void generation(uint8_t (*now)[COLUMNS], uint8_t (*next)[COLUMNS]) {
  for (uint32_t row = 0; row < ROWS; row++) {
    const uint8_t *const above = now[(row + ROWS - 1) % ROWS];
    const uint8_t *const here = now[row];
    const uint8_t *const below = now[(row + 1) % ROWS];
    // Of three columns next to each other, carried along the row.
    uint32_t left = column_of(above, here, below, COLUMNS - 1);
    uint32_t middle = column_of(above, here, below, 0);
    for (uint32_t column = 0; column < COLUMNS; column++) {
      const uint32_t right = column_of(above, here, below, (column + 1) % COLUMNS);
      const uint32_t neighbours = left + middle + right - here[column];
      next[row][column] =
          neighbours == NEIGHBOURS_TO_BE_BORN || (neighbours == NEIGHBOURS_TO_LIVE && here[column] != 0);
      left = middle;
      middle = right;
    }
  }
}

static void check_mirror(grid cells) {
  for (uint32_t row = 0; row < ROWS; row++) {
    for (uint32_t column = 0; column < COLUMNS / 2; column++) {
      if (cells[row][column] != cells[row][COLUMNS - 1 - column]) fail("the pattern has lost its symmetry");
    }
  }
}

static uint32_t run(void *own, uint32_t seed) {
  struct memory *const memory = own;
  populate(memory->now, seed);
  for (uint32_t done = 0; done < GENERATIONS; done += 2) {
    generation(memory->now, memory->next);
    generation(memory->next, memory->now);
  }
  check_mirror(memory->now);
  return crc32_append(0, memory->now, sizeof memory->now);
}

const struct program life = {"life", sizeof(struct memory), 0x11FE0005, run};
