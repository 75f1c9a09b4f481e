/*
 * Memory for logs and states: a file in the private folder on /dev/shm, all of its space taken at once (so that no
 * SIGBUS can come later), and without a name as soon as it is open (so that nothing is left behind).
 */
#pragma once

#include "failure.h"

#include <stddef.h>
#include <stdint.h>

struct shared_area {
    uint8_t *base;
    size_t bytes;
    int file;
};

bool shared_area_create(struct shared_area *area, const char *folder, const char *name, size_t bytes,
                        struct failure *failure);
void shared_area_destroy(struct shared_area *area);
