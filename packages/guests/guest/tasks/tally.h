// The sum of the results of a round, kept by the tasks themselves. The kernel compares it with the results handed in.
#ifndef TALLY_H
#define TALLY_H

#include <stdint.h>

extern uint32_t tally;

// User mode. Tasks take turns by a lock.
void tally_add(uint32_t result);

#endif
