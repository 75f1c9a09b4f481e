// The value of a position, by alpha-beta search with a transposition table.
#ifndef SOLVE_H
#define SOLVE_H

#include <stdint.h>

#include "connectFour.h"

// A value is 0 for a draw; for a win of the player to move, how many stones this player has left then, counting the
// winning one; for a loss the negative of what the other player has left. Both play as well as can be.
int32_t solve(const struct board *board, const struct position *position);

// The value of a position that has just been won by the move that led to it.
int32_t value_of_lost(const struct board *board, const struct position *position);

// Positions searched so far.
extern uint32_t nodes;

#endif
