// The life of a task, in user mode.
#ifndef ROUNDS_H
#define ROUNDS_H

#include "program.h"

// Runs the program once for each round, with another seed each time.
void run_rounds(const struct program *program, void *memory);

#endif
