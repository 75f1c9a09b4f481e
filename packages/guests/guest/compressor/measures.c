#include "measures.h"

#include "memory.h"

static void add(struct measures *measures, uint32_t symbol, uint32_t extra) {
  measures->symbols[measures->count] = (uint8_t)symbol;
  measures->extras[measures->count++] = (uint8_t)extra;
  measures->code.frequencies[symbol]++;
}

// Returns how many of `times` are left.
static uint32_t add_repeats(struct measures *measures, uint32_t symbol, uint32_t times) {
  const struct repeat repeat = repeats[symbol - REPEAT_PREVIOUS];
  while (times >= repeat.least) {
    const uint32_t run = times < repeat.most ? times : repeat.most;
    add(measures, symbol, run - repeat.least);
    times -= run;
  }
  return times;
}

static void add_run(struct measures *measures, uint32_t length, uint32_t times) {
  if (length == 0) {
    times = add_repeats(measures, REPEAT_ZERO_LONG, times);
    times = add_repeats(measures, REPEAT_ZERO, times);
  } else {
    add(measures, length, 0);
    times = add_repeats(measures, REPEAT_PREVIOUS, times - 1);
  }
  for (; times > 0; times--) add(measures, length, 0);
}

static uint32_t without_trailing_zeros(const uint8_t *lengths, uint32_t count, uint32_t least) {
  while (count > least && lengths[count - 1] == 0) count--;
  return count;
}

void measures_make(struct measures *measures, const struct codes *codes) {
  uint8_t lengths[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
  measures->literal_lengths = without_trailing_zeros(codes->literals.lengths, LITERAL_SYMBOLS, LITERALS_MIN);
  measures->distance_lengths = without_trailing_zeros(codes->distances.lengths, DISTANCE_SYMBOLS, DISTANCES_MIN);
  memcpy(lengths, codes->literals.lengths, measures->literal_lengths);
  memcpy(lengths + measures->literal_lengths, codes->distances.lengths, measures->distance_lengths);

  memset(measures->code.frequencies, 0, sizeof measures->code.frequencies);
  measures->count = 0;
  const uint32_t all = measures->literal_lengths + measures->distance_lengths;
  for (uint32_t start = 0, end = 0; start < all; start = end) {
    while (end < all && lengths[end] == lengths[start]) end++;
    add_run(measures, lengths[start], end - start);
  }
  code_make(&measures->code, MEASURE_SYMBOLS, MEASURE_BITS_MAX);
  uint8_t ordered[MEASURE_SYMBOLS];
  for (uint32_t i = 0; i < MEASURE_SYMBOLS; i++) ordered[i] = measures->code.lengths[measure_order[i]];
  measures->code_lengths = without_trailing_zeros(ordered, MEASURE_SYMBOLS, MEASURES_MIN);
}

static uint32_t extra_bits_of(uint32_t symbol) {
  return symbol < REPEAT_PREVIOUS ? 0 : repeats[symbol - REPEAT_PREVIOUS].extra_bits;
}

uint32_t measures_bits(const struct measures *measures) {
  uint32_t bits = LITERALS_BITS + DISTANCES_BITS + MEASURES_BITS + MEASURE_LENGTH_BITS * measures->code_lengths;
  for (uint32_t i = 0; i < measures->count; i++) {
    bits += measures->code.lengths[measures->symbols[i]] + extra_bits_of(measures->symbols[i]);
  }
  return bits;
}

void measures_write(const struct measures *measures, struct bit_writer *writer) {
  write_bits(writer, measures->literal_lengths - LITERALS_MIN, LITERALS_BITS);
  write_bits(writer, measures->distance_lengths - DISTANCES_MIN, DISTANCES_BITS);
  write_bits(writer, measures->code_lengths - MEASURES_MIN, MEASURES_BITS);
  for (uint32_t i = 0; i < measures->code_lengths; i++) {
    write_bits(writer, measures->code.lengths[measure_order[i]], MEASURE_LENGTH_BITS);
  }
  for (uint32_t i = 0; i < measures->count; i++) {
    const uint32_t symbol = measures->symbols[i];
    write_bits(writer, measures->code.words[symbol], measures->code.lengths[symbol]);
    write_bits(writer, measures->extras[i], extra_bits_of(symbol));
  }
}
