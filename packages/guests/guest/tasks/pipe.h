// The one pipe of this kernel: bytes from task to task.
#ifndef PIPE_H
#define PIPE_H

#include <stdint.h>

// Both move as many bytes as can be moved at once and return their number; 0 where the caller must wait.
uint32_t pipe_put(const uint8_t *data, uint32_t bytes);
uint32_t pipe_take(uint8_t *data, uint32_t bytes);

#endif
