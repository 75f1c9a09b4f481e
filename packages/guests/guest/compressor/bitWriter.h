// Bits into bytes, least significant bit first.
#ifndef BIT_WRITER_H
#define BIT_WRITER_H

#include <stdint.h>

struct bit_writer {
  uint8_t *data;
  uint32_t bytes; // written in full
  uint32_t pending; // bits of the byte that is not full yet
  uint32_t pending_count;
};

// At most 16 bits; those of `value` above `count` must be zero.
static inline void write_bits(struct bit_writer *writer, uint32_t value, uint32_t count) {
  writer->pending |= value << writer->pending_count;
  writer->pending_count += count;
  while (writer->pending_count >= 8) {
    writer->data[writer->bytes++] = (uint8_t)writer->pending;
    writer->pending >>= 8;
    writer->pending_count -= 8;
  }
}

// Puts the started byte into memory, where a reader finds it; writing goes on in the middle of it.
static inline void write_bits_settle(struct bit_writer *writer) {
  if (writer->pending_count > 0) writer->data[writer->bytes] = (uint8_t)writer->pending;
}

// Goes on at the next full byte.
static inline void write_bits_align(struct bit_writer *writer) {
  if (writer->pending_count > 0) write_bits(writer, 0, 8 - writer->pending_count);
}

#endif
