#include "solve.h"

#include "table.h"

uint32_t nodes;

// Columns from the middle outwards: lines that cross the middle are the most.
static const uint8_t orders[WIDTH_MAX + 1][WIDTH_MAX] = {
    [1] = {0}, [2] = {0, 1}, [3] = {1, 0, 2}, [4] = {1, 2, 0, 3}, [5] = {2, 1, 3, 0, 4},
    [6] = {2, 3, 1, 4, 0, 5}, [7] = {3, 2, 4, 1, 5, 0, 6},
};

struct moves {
  cells list[WIDTH_MAX];
  uint32_t scores[WIDTH_MAX];
  uint32_t count;
};

// Keeps the best move first; of equal ones the one added first.
static void add_move(struct moves *moves, cells move, uint32_t score) {
  uint32_t place = moves->count++;
  for (; place > 0 && moves->scores[place - 1] < score; place--) {
    moves->list[place] = moves->list[place - 1];
    moves->scores[place] = moves->scores[place - 1];
  }
  moves->list[place] = move;
  moves->scores[place] = score;
}

// The moves worth a look, those first that make the most cells winning ones.
static void order_moves(struct moves *moves, const struct board *board, const struct position *position, cells worth) {
  moves->count = 0;
  for (uint32_t i = 0; i < board->width; i++) {
    const cells move = worth & board_column(board, orders[board->width][i]);
    if (move == 0) continue;
    add_move(moves, move, count(winning_cells(board, position->own | move, position->taken)));
  }
}

// How many stones the player to move, and the other one, have left.
static int32_t own_left(const struct board *board, const struct position *position) {
  return (int32_t)(board->size - position->stones + 1) / 2;
}

static int32_t others_left(const struct board *board, const struct position *position) {
  return (int32_t)(board->size - position->stones) / 2;
}

int32_t value_of_lost(const struct board *board, const struct position *position) {
  return -(others_left(board, position) + 1);
}

// Of a position in which the player to move cannot win at once. Gives the value where it lies between `alpha` and
// `beta`, otherwise a bound of it on the same side.
static int32_t search(const struct board *board, const struct position *position, int32_t alpha, int32_t beta) {
  nodes++;
  const cells dangers = winning_cells(board, position->taken ^ position->own, position->taken);
  cells worth = position_moves(board, position);
  const cells forced = worth & dangers;
  if (forced != 0) worth = forced;
  // Whatever else is played, the other player wins next: two cells to fill at once, or nothing but cells below one.
  if ((forced & (forced - 1)) != 0 || (worth &= ~(dangers >> 1)) == 0) return -others_left(board, position);
  if (board->size - position->stones <= 2) return 0;

  // The next own move but one is the first that can win, the other player's next but one the first that can lose.
  struct bounds bounds = {1 - others_left(board, position), own_left(board, position) - 1};
  table_recall(position, &bounds);
  if (alpha < bounds.least) alpha = bounds.least;
  if (beta > bounds.most) beta = bounds.most;
  if (alpha >= beta) return alpha >= bounds.most ? bounds.most : bounds.least;

  struct moves moves;
  order_moves(&moves, board, position, worth);
  int32_t best = bounds.least;
  int32_t lower = alpha;
  for (uint32_t i = 0; i < moves.count && lower < beta; i++) {
    const struct position next = position_after(position, moves.list[i]);
    const int32_t value = -search(board, &next, -beta, -lower);
    if (i == 0 || value > best) best = value;
    if (best > lower) lower = best;
  }
  if (best > alpha) bounds.least = best;
  if (best < beta) bounds.most = best;
  table_remember(position, bounds);
  return best;
}

// Bisection by searches with the smallest of windows, the values near a draw first.
int32_t solve(const struct board *board, const struct position *position) {
  if (position->stones == board->size) return 0;
  const cells winning = winning_cells(board, position->own, position->taken);
  if ((position_moves(board, position) & winning) != 0) return own_left(board, position);
  int32_t least = -others_left(board, position);
  int32_t most = own_left(board, position);
  while (least < most) {
    int32_t middle = least + (most - least) / 2;
    if (middle <= 0 && least / 2 < middle) middle = least / 2;
    if (middle >= 0 && most / 2 > middle) middle = most / 2;
    const int32_t value = search(board, position, middle, middle + 1);
    if (value <= middle) {
      most = value;
    } else {
      least = value;
    }
  }
  return least;
}
