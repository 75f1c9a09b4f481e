// Instructions that the processor refuses in user mode and that the kernel carries out instead.
#ifndef EMULATION_H
#define EMULATION_H

#include "context.h"

// Carries out `rdtime` and `rdtimeh`, and returns whether it was one of these.
int emulate(struct context *context);

#endif
