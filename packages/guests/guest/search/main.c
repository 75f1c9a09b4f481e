// Solves positions of Connect Four by alpha-beta search with a transposition table.
//
// What is found is checked in three ways: against the known value; against the value of the mirrored position, found
// with an empty table; and by playing the game to its end, where each move must be as good as the one before promised,
// no other better, and the result the one that was found first.
#include <stddef.h>
#include <stdint.h>

#include "connectFour.h"
#include "console.h"
#include "crc32.h"
#include "csr.h"
#include "panic.h"
#include "puzzles.h"
#include "solve.h"
#include "table.h"
#include "timer.h"
#include "trap.h"
#include "uart.h"

#define TICK_MS 1
#define NUMBER_COLUMNS 2
#define NODES_COLUMNS 6

// Nothing here waits for the time. The tick is a sign of life for the hypervisor.
static struct context *tick(struct context *interrupted) {
  return interrupted;
}

static const struct trap_handlers handlers = {.tick = tick, .user_exception = NULL};

// What was found out about a puzzle.
struct solution {
  int32_t value;
  uint32_t nodes;
  uint32_t line_moves;
  char line[CELLS_MAX + 1]; // of the best play; a column each, counted from 1
};

_Noreturn static void panic_of(uint32_t number, const char *reason) {
  panic_begin();
  print("search: puzzle ");
  print_decimal(number, 0);
  print(": ");
  print(reason);
  panic_end();
}

// The value of a move, from the view of who makes it.
static int32_t value_of_move(const struct board *board, const struct position *position, cells move) {
  const struct position next = position_after(position, move);
  return has_line(position->own | move) ? -value_of_lost(board, &next) : -solve(board, &next);
}

// The first of the best moves. There is one, for the board is not full.
static cells best_move(const struct board *board, const struct position *position, int32_t value, uint32_t number) {
  cells best = 0;
  for (uint32_t column = 0; column < board->width; column++) {
    const cells move = position_moves(board, position) & board_column(board, column);
    if (move == 0) continue;
    const int32_t found = value_of_move(board, position, move);
    if (found > value) panic_of(number, "a move is better than its position");
    if (found == value && best == 0) best = move;
  }
  if (best == 0) panic_of(number, "no move is as good as its position");
  return best;
}

static char column_of(const struct board *board, cells move) {
  char column = '1';
  while ((move & board_column(board, (uint32_t)(column - '1'))) == 0) column++;
  return column;
}

static void play(struct solution *solution, const struct board *board, struct position position, uint32_t number) {
  int32_t value = solution->value;
  int over = 0;
  solution->line_moves = 0;
  while (!over && position.stones < board->size) {
    const cells move = best_move(board, &position, value, number);
    over = has_line(position.own | move);
    solution->line[solution->line_moves++] = column_of(board, move);
    position = position_after(&position, move);
    value = -value;
  }
  solution->line[solution->line_moves] = '\0';
  const int32_t result = over ? value_of_lost(board, &position) : 0;
  if (result != value) panic_of(number, "the game does not end as it was foreseen");
}

static void solve_puzzle(struct solution *solution, const struct puzzle *puzzle, uint32_t number) {
  const struct board board = board_make(puzzle->width, puzzle->height);
  const struct position position = puzzle_position(puzzle, &board);
  const struct position mirrored = position_mirrored(&board, &position);
  const uint32_t nodes_before = nodes;
  table_clear();
  if (solve(&board, &mirrored) != puzzle->value) panic_of(number, "the mirrored position has not the known value");
  table_clear();
  solution->value = solve(&board, &position);
  if (solution->value != puzzle->value) panic_of(number, "the position has not the known value");
  play(solution, &board, position, number);
  solution->nodes = nodes - nodes_before;
}

static void print_value(int32_t value) {
  print(value < 0 ? "-" : value > 0 ? "+" : " ");
  print_decimal((uint32_t)(value < 0 ? -value : value), 0);
}

static void print_solution(const struct solution *solution, const struct puzzle *puzzle, uint32_t number) {
  print("puzzle ");
  print_decimal(number, NUMBER_COLUMNS);
  print(" of ");
  print_decimal(PUZZLES, 0);
  print(": ");
  print_decimal(puzzle->width, 0);
  print(" x ");
  print_decimal(puzzle->height, 0);
  print(", value ");
  print_value(solution->value);
  print(", ");
  print_decimal(solution->nodes, NODES_COLUMNS);
  print(" nodes, best play ");
  print(solution->line);
  print("\n");
}

// Called by start.S, which switches the machine off with the code returned.
uint32_t main(void);

uint32_t main(void) {
  uart_initialise();
  crc32_initialise();
  table_initialise();
  trap_install(&handlers);
  timer_start(TICK_MS);
  csr_set(mstatus, MSTATUS_MIE);

  print("search: Connect Four, alpha-beta with a transposition table\n");
  uint32_t checksum = 0;
  for (uint32_t i = 0; i < PUZZLES; i++) {
    struct solution solution;
    solve_puzzle(&solution, &puzzles[i], i + 1);
    print_solution(&solution, &puzzles[i], i + 1);
    checksum = crc32_append_word(checksum, (uint32_t)solution.value);
    checksum = crc32_append_word(checksum, solution.nodes);
    checksum = crc32_append(checksum, solution.line, solution.line_moves);
  }
  print("search: ok ");
  print_hex(checksum);
  print("\n");
  return 0;
}
