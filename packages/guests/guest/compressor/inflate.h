// Reads the blocks that deflate.h writes.
#ifndef INFLATE_H
#define INFLATE_H

#include <stdint.h>

#include "bitReader.h"

struct inflated {
  uint8_t *data; // what was decompressed before lies before `bytes`: matches reach back to it
  uint32_t bytes;
  uint32_t room;
};

// Says what is wrong with the block, NULL where nothing is.
const char *inflate_block(struct bit_reader *reader, struct inflated *output);

#endif
