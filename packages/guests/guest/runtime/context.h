// What a trap saves: everything that the interrupted code can see of the processor.
#ifndef CONTEXT_H
#define CONTEXT_H

#define CONTEXT_X 0
#define CONTEXT_PC 128
#define CONTEXT_STATUS 132

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

// The integer registers that have a part to play in calls.
enum { REGISTER_RA = 1, REGISTER_SP = 2, REGISTER_GP = 3, REGISTER_A0 = 10, REGISTER_A1 = 11, REGISTER_A7 = 17 };

struct context {
  uint32_t x[32]; // by register number; x[0] is unused, and so is x[4]: see trap.S
  uint32_t pc;
  uint32_t status;
};

_Static_assert(offsetof(struct context, x) == CONTEXT_X, "trap.S and context.h disagree");
_Static_assert(offsetof(struct context, pc) == CONTEXT_PC, "trap.S and context.h disagree");
_Static_assert(offsetof(struct context, status) == CONTEXT_STATUS, "trap.S and context.h disagree");

// Loads the context and goes on where it stopped. Makes it the one that the next trap saves to.
_Noreturn void context_resume(const struct context *context);

#endif
#endif
