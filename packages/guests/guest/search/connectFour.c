#include "connectFour.h"

#define COLUMN_BITS (HEIGHT_MAX + 1)
#define COLUMN_CELLS ((1u << COLUMN_BITS) - 1)

static cells column_at(cells bits, uint32_t column) {
  return bits << COLUMN_BITS * column;
}

struct board board_make(uint32_t width, uint32_t height) {
  struct board board = {width, height, width * height, 0, 0};
  for (uint32_t column = 0; column < width; column++) {
    board.bottom |= column_at(1, column);
    board.all |= column_at((1u << height) - 1, column);
  }
  return board;
}

cells board_column(const struct board *board, uint32_t column) {
  return column_at((1u << board->height) - 1, column);
}

cells position_moves(const struct board *board, const struct position *position) {
  return (position->taken + board->bottom) & board->all;
}

struct position position_after(const struct position *position, cells move) {
  return (struct position){position->own ^ position->taken, position->taken | move, position->stones + 1};
}

// Of the four cells of a line in one direction, any one may be the free one.
static inline cells winning_in(cells stones, uint32_t step) {
  const cells two_before = stones << step & stones << 2 * step;
  const cells two_after = stones >> step & stones >> 2 * step;
  return (two_before & (stones << 3 * step | stones >> step)) | (two_after & (stones >> 3 * step | stones << step));
}

cells winning_cells(const struct board *board, cells stones, cells taken) {
  const cells winning = winning_in(stones, 1) | winning_in(stones, COLUMN_BITS - 1) | winning_in(stones, COLUMN_BITS) |
                        winning_in(stones, COLUMN_BITS + 1);
  return winning & board->all & ~taken;
}

static inline int has_line_in(cells stones, uint32_t step) {
  const cells pairs = stones & stones >> step;
  return (pairs & pairs >> 2 * step) != 0;
}

int has_line(cells stones) {
  return has_line_in(stones, 1) || has_line_in(stones, COLUMN_BITS - 1) || has_line_in(stones, COLUMN_BITS) ||
         has_line_in(stones, COLUMN_BITS + 1);
}

uint32_t count(cells set) {
  uint32_t counted = 0;
  for (; set != 0; set &= set - 1) counted++;
  return counted;
}

static cells mirrored(const struct board *board, cells set) {
  cells result = 0;
  for (uint32_t column = 0; column < board->width; column++, set >>= COLUMN_BITS) {
    result |= column_at(set & COLUMN_CELLS, board->width - 1 - column);
  }
  return result;
}

struct position position_mirrored(const struct board *board, const struct position *position) {
  return (struct position){mirrored(board, position->own), mirrored(board, position->taken), position->stones};
}
