/* The guest's RAM as it is mapped in this process: a shared file, found by its inode. */
#pragma once

#include "failure.h"

#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES ((size_t)4096)

struct guest_memory {
    uint8_t *base;
    uint32_t pages;
    int file; /* for finding holes */
};

bool guest_memory_find(struct guest_memory *memory, const char *path, struct failure *failure);

static inline uint8_t *guest_page(const struct guest_memory *memory, uint32_t frame)
{
    return memory->base + (size_t)frame * PAGE_BYTES;
}

static inline size_t guest_bytes(const struct guest_memory *memory)
{
    return (size_t)memory->pages * PAGE_BYTES;
}
