// Counts the ways in which queens can stand on a board without threatening each other, by recursion; compared with the
// known numbers.
#include "crc32.h"
#include "programs.h"
#include "random.h"
#include "systemCalls.h"

#define SIZE 9u
#define SOLUTIONS 352u

struct memory {
  uint8_t columns[SIZE]; // of the queens placed so far, row by row
  uint32_t solutions_crc;
};

// Bits say which columns are taken in the row to come: by a queen above, and along the two diagonals.
static uint32_t place(struct memory *memory, uint32_t row, uint32_t above, uint32_t to_left, uint32_t to_right) {
  if (row == SIZE) {
    memory->solutions_crc = crc32_append(memory->solutions_crc, memory->columns, SIZE);
    return 1;
  }
  uint32_t solutions = 0;
  for (uint32_t column = 0; column < SIZE; column++) {
    const uint32_t bit = 1u << column;
    if (((above | to_left | to_right) & bit) != 0) continue;
    memory->columns[row] = (uint8_t)column;
    solutions += place(memory, row + 1, above | bit, (to_left | bit) << 1, (to_right | bit) >> 1);
  }
  return solutions;
}

static uint32_t run(void *own, uint32_t seed) {
  struct memory *const memory = own;
  memory->solutions_crc = seed;
  if (place(memory, 0, 0, 0, 0) != SOLUTIONS) fail("the number of solutions is wrong");
  return memory->solutions_crc;
}

const struct program queens = {"queens", sizeof(struct memory), 0x0EE45006, run};
