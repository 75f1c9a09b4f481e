// What compressor and decompressor share of the DEFLATE format (RFC 1951).
#ifndef DEFLATE_FORMAT_H
#define DEFLATE_FORMAT_H

#include <stdint.h>

#define BLOCK_STORED 0
#define BLOCK_DYNAMIC 2 // with Huffman codes of its own
#define BLOCK_KIND_BITS 2u
#define BLOCK_LAST_BITS 1u

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

// The lengths of both codes' words are written one after the other, with repeats, by a third code.
#define MEASURE_SYMBOLS 19u
#define MEASURE_BITS_MAX 7u
#define REPEAT_PREVIOUS 16u
#define REPEAT_ZERO 17u
#define REPEAT_ZERO_LONG 18u

// Widths of the fields in front of the codes, and the least number that each of the first three can say.
#define LITERALS_BITS 5u
#define LITERALS_MIN FIRST_LENGTH_SYMBOL
#define DISTANCES_BITS 5u
#define DISTANCES_MIN 1u
#define MEASURES_BITS 4u
#define MEASURES_MIN 4u
#define MEASURE_LENGTH_BITS 3u

#define STORED_LENGTH_BITS 16u
#define STORED_LENGTH_MASK 0xFFFFu

// The least length or distance of a symbol, and how many bits follow that say how much more it is.
struct range {
  uint16_t base;
  uint8_t extra_bits;
};

extern const struct range length_ranges[LENGTH_SYMBOLS];
extern const struct range distance_ranges[DISTANCE_SYMBOLS];

// Must have been called once before the two below.
void deflate_format_initialise(void);

// The index into length_ranges or distance_ranges.
uint32_t length_symbol_of(uint32_t length);
uint32_t distance_symbol_of(uint32_t distance);

// The order in which the lengths of the third code's words are written: those that are most often zero come last.
extern const uint8_t measure_order[MEASURE_SYMBOLS];

// How often a symbol of the third code repeats, and how many bits follow that say how much more often than the least.
struct repeat {
  uint8_t least;
  uint8_t most;
  uint8_t extra_bits;
};

// Of REPEAT_PREVIOUS and the two after it.
extern const struct repeat repeats[MEASURE_SYMBOLS - REPEAT_PREVIOUS];

#endif
