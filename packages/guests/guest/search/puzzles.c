#include "puzzles.h"

#include "panic.h"

// The small boards are draws from the start, as is well known. The others come from games played at random. A second
// solver comes to the same values (test/connectFour.ts).
const struct puzzle puzzles[PUZZLES] = {
    {7, 6, "2252576253462244111563365343671351441", -1},
    {7, 6, "7422341735647741166133573473242566", 1},
    {7, 6, "23163416124767223154467471272416755633", 0},
    {7, 6, "65214673556155731566316327373221417", -1},
    {7, 6, "152212251444363146724764", 0},
    {7, 6, "5624377265565655432467", -2},
    {7, 6, "1277256732733466275175", -2},
    {7, 6, "71274272227655135721", 4},
    {4, 4, "", 0},
    {4, 5, "", 0},
};

struct position puzzle_position(const struct puzzle *puzzle, const struct board *board) {
  struct position position = {0, 0, 0};
  for (const char *move = puzzle->moves; *move != '\0'; move++) {
    const cells column = board_column(board, (uint32_t)(*move - '1'));
    const cells cell = position_moves(board, &position) & column;
    if (cell == 0 || has_line(position.own | cell)) panic("search: the moves of a puzzle are not possible");
    position = position_after(&position, cell);
  }
  return position;
}
