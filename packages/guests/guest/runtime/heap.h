// The memory between the program and the boot file. Machine mode only.
#ifndef HEAP_H
#define HEAP_H

#include <stdint.h>

// Aligned to 16 bytes, contents undefined. Panics where there is not enough left.
void *heap_allocate(uint32_t bytes);

// Gives back what heap_allocate gave.
void heap_release(void *memory);

#endif
