// The bits that a bit_writer wrote. It keeps nothing but its position: the byte at the end of a block gets more bits
// later.
#ifndef BIT_READER_H
#define BIT_READER_H

#include <stdint.h>

struct bit_reader {
  const uint8_t *data; // with two bytes of room behind the last one
  uint32_t position; // in bits
};

// At most 16 bits.
static inline uint32_t read_bits(struct bit_reader *reader, uint32_t count) {
  const uint8_t *const start = reader->data + reader->position / 8;
  const uint32_t three = (uint32_t)start[0] | (uint32_t)start[1] << 8 | (uint32_t)start[2] << 16;
  const uint32_t value = three >> reader->position % 8 & ((1u << count) - 1);
  reader->position += count;
  return value;
}

static inline uint32_t read_bit(struct bit_reader *reader) {
  const uint32_t value = (uint32_t)reader->data[reader->position / 8] >> reader->position % 8 & 1;
  reader->position++;
  return value;
}

static inline void read_bits_align(struct bit_reader *reader) {
  reader->position = (reader->position + 7) & ~7u;
}

#endif
