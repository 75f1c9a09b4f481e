// What becomes of a trap.
#ifndef TRAP_H
#define TRAP_H

#include "context.h"

// Both are given the context that was interrupted and return the one to go on with.
struct trap_handlers {
  struct context *(*tick)(struct context *interrupted);
  // An exception of a program in user mode. A kernel without programs leaves it out: every exception is a panic.
  struct context *(*user_exception)(struct context *interrupted, uint32_t cause);
};

// Must be called before interrupts are enabled.
void trap_install(const struct trap_handlers *handlers);

// Called by trap.S.
struct context *trap(struct context *interrupted);

// What a trap saves to until the first context is resumed.
extern struct context boot_context;

#endif
