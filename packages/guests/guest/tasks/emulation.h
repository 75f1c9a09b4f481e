// Instructions that the processor refuses in user mode and that the kernel executes instead.
#ifndef EMULATION_H
#define EMULATION_H

#include "context.h"

// Executes `rdtime` and `rdtimeh`, and returns whether it was one of these.
int emulate(struct context *context);

#endif
