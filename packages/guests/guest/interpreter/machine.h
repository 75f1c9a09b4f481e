// The machine that runs programs: a stack of words, another one for calls, variables, and a table.
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

#include "assembler.h"
#include "table.h"

#define STACK_WORDS 4096u
#define CALLS_MAX 1024u

struct machine {
  uint32_t variables[VARIABLES_MAX];
  struct table table;
  uint32_t executed; // operations, since the machine was made
  uint32_t stack[STACK_WORDS];
  uint32_t calls[CALLS_MAX];
};

// All variables are 0, the table is empty.
void machine_make(struct machine *machine);
void machine_release(struct machine *machine);

// Runs a program to its end. Panics where it does what cannot be done.
void machine_run(struct machine *machine, const struct program *program);

#endif
