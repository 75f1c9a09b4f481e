// What compressor and decompressor share of the DEFLATE format (RFC 1951).
#ifndef DEFLATE_FORMAT_H
#define DEFLATE_FORMAT_H

#include <stdint.h>

#define BLOCK_STORED 0
#define BLOCK_DYNAMIC 2 // with Huffman codes of its own
#define BLOCK_KIND_BITS 2

#define WINDOW_BYTES 32768u
#define MATCH_MIN 3u
#define MATCH_MAX 258u

#define LITERALS 256u
#define END_OF_BLOCK 256u
#define FIRST_LENGTH_SYMBOL 257u
#define LITERAL_SYMBOLS 286u // literals, end of block, lengths
#define DISTANCE_SYMBOLS 30u
#define LENGTH_SYMBOLS 29u
#define CODE_BITS_MAX 15u

// The code lengths of both codes are written one after the other, run-length coded, by a third code.
#define ORDER_SYMBOLS 19u
#define ORDER_BITS_MAX 7u
#define REPEAT_PREVIOUS 16u // 3 to 6 times, 2 extra bits
#define REPEAT_ZERO 17u     // 3 to 10 times, 3 extra bits
#define REPEAT_ZERO_LONG 18u // 11 to 138 times, 7 extra bits

// The least length or distance of a symbol, and how many bits follow that say how much more it is.
struct range {
  uint16_t base;
  uint8_t extra_bits;
};

extern const struct range length_ranges[LENGTH_SYMBOLS];
extern const struct range distance_ranges[DISTANCE_SYMBOLS];

// The order in which the lengths of the third code are written: those that are most often zero come last.
extern const uint8_t order_of_lengths[ORDER_SYMBOLS];

#endif
