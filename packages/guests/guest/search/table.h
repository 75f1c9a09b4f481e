// What is known of positions that were searched before. A position takes the place of another with the same hash.
#ifndef TABLE_H
#define TABLE_H

#include <stdint.h>

#include "connectFour.h"

// The value of a position lies between these.
struct bounds {
  int32_t least;
  int32_t most;
};

void table_initialise(void);
void table_clear(void);

// Narrows `bounds` to what is known.
void table_recall(const struct position *position, struct bounds *bounds);

void table_remember(const struct position *position, struct bounds bounds);

#endif
