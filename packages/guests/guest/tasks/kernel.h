// What the kernel does when a task is interrupted, calls or faults.
#ifndef KERNEL_H
#define KERNEL_H

#include "trap.h"

extern const struct trap_handlers kernel_handlers;

#endif
