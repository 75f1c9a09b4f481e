// The end of a guest that found something wrong with itself.
#ifndef PANIC_H
#define PANIC_H

#include <stdint.h>

// Prints `panic: <reason>` and executes `ebreak`, which a hypervisor takes as a crash. Without one the machine parks.
_Noreturn void panic(const char *reason);

// Of a trap that should not have been: where, in two parts, and the registers that describe it.
_Noreturn void panic_trap(const char *where, const char *name, uint32_t mcause, uint32_t mepc);

// For a line of several parts: what is printed between the two belongs to it.
void panic_begin(void);
_Noreturn void panic_end(void);

// Where the machine stays forever: `j .` (start.S).
_Noreturn void park(void);

#endif
