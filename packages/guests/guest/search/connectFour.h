// Connect Four on boards of up to seven columns and six rows: two players drop stones into columns in turn, and who has
// four in a line first has won.
//
// A set of cells is a word of 64 bits. A column takes seven bits of it, lowest row first, whatever the board's height;
// the last one is always clear, so that lines do not run on from one column into the next.
#ifndef CONNECT_FOUR_H
#define CONNECT_FOUR_H

#include <stdint.h>

#define WIDTH_MAX 7u
#define HEIGHT_MAX 6u
#define CELLS_MAX (WIDTH_MAX * HEIGHT_MAX)

typedef uint64_t cells;

struct board {
  uint32_t width;
  uint32_t height;
  uint32_t size; // number of cells
  cells all;
  cells bottom;
};

struct position {
  cells own; // of the player who is to move
  cells taken;
  uint32_t stones;
};

struct board board_make(uint32_t width, uint32_t height);
cells board_column(const struct board *board, uint32_t column);

// The cells that a stone can be dropped to: at most one in each column.
cells position_moves(const struct board *board, const struct position *position);

// What is there after a move, from the other player's view.
struct position position_after(const struct position *position, cells move);

// The free cells that would make a line of four for who owns some stones, whether they can be reached or not.
cells winning_cells(const struct board *board, cells stones, cells taken);

// Whether there is a line of four.
int has_line(cells stones);

uint32_t count(cells set);

// The same position, seen in a mirror.
struct position position_mirrored(const struct board *board, const struct position *position);

#endif
