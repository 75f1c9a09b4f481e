#include "pipe.h"

#define PIPE_BYTES 1024u // a power of two

static uint8_t ring[PIPE_BYTES];
// Bytes ever put and taken; where they lie in the ring is their remainder.
static uint32_t put;
static uint32_t taken;

static uint32_t smaller(uint32_t left, uint32_t right) {
  return left < right ? left : right;
}

uint32_t pipe_put(const uint8_t *data, uint32_t bytes) {
  const uint32_t moved = smaller(bytes, PIPE_BYTES - (put - taken));
  for (uint32_t i = 0; i < moved; i++) ring[put++ % PIPE_BYTES] = data[i];
  return moved;
}

uint32_t pipe_take(uint8_t *data, uint32_t bytes) {
  const uint32_t moved = smaller(bytes, put - taken);
  for (uint32_t i = 0; i < moved; i++) data[i] = ring[taken++ % PIPE_BYTES];
  return moved;
}
