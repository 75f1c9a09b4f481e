// Positions whose values are known.
#ifndef PUZZLES_H
#define PUZZLES_H

#include <stdint.h>

#include "connectFour.h"

struct puzzle {
  uint32_t width;
  uint32_t height;
  const char *moves; // that led there: the column of each, counted from 1
  int32_t value;     // as solve.h has it
};

#define PUZZLES 10u

extern const struct puzzle puzzles[PUZZLES];

// Panics where the moves are not possible, or where the game is over before they are.
struct position puzzle_position(const struct puzzle *puzzle, const struct board *board);

#endif
