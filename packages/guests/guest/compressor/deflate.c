#include "deflate.h"

#include "deflateFormat.h"
#include "huffman.h"
#include "memory.h"

#define STORED_LENGTH_BITS 16u
#define NEAR 256u // distances up to here have a table entry each, those further off one for each 128
#define FAR_SHIFT 7

static uint8_t length_symbols[MATCH_MAX + 1];
static uint8_t near_symbols[NEAR];
static uint8_t far_symbols[WINDOW_BYTES >> FAR_SHIFT];

// A code for the symbols of a block.
struct code {
  uint32_t frequencies[HUFFMAN_SYMBOLS_MAX];
  uint8_t lengths[HUFFMAN_SYMBOLS_MAX];
  uint16_t words[HUFFMAN_SYMBOLS_MAX];
};

// The code lengths of the other two codes, run-length coded.
struct order {
  uint8_t symbols[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
  uint8_t extras[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
  uint32_t count;
  uint32_t literals; // how many lengths there are of each code
  uint32_t distances;
  uint32_t lengths; // and of the third code itself
};

static struct code literal_code;
static struct code distance_code;
static struct code order_code;
static struct order order;

void deflate_initialise(void) {
  for (uint32_t symbol = 0, length = MATCH_MIN; length <= MATCH_MAX; length++) {
    while (symbol + 1 < LENGTH_SYMBOLS && length_ranges[symbol + 1].base <= length) symbol++;
    length_symbols[length] = (uint8_t)symbol;
  }
  for (uint32_t symbol = 0, distance = 1; distance <= WINDOW_BYTES; distance++) {
    while (symbol + 1 < DISTANCE_SYMBOLS && distance_ranges[symbol + 1].base <= distance) symbol++;
    if (distance <= NEAR) near_symbols[distance - 1] = (uint8_t)symbol;
    far_symbols[(distance - 1) >> FAR_SHIFT] = (uint8_t)symbol;
  }
}

static uint32_t distance_symbol(uint32_t distance) {
  return distance <= NEAR ? near_symbols[distance - 1] : far_symbols[(distance - 1) >> FAR_SHIFT];
}

static void make_code(struct code *code, uint32_t symbols, uint32_t limit) {
  huffman_lengths(code->frequencies, symbols, limit, code->lengths);
  huffman_words(code->lengths, symbols, code->words);
}

static void make_codes(const lz_token *tokens, uint32_t count) {
  memset(literal_code.frequencies, 0, sizeof literal_code.frequencies);
  memset(distance_code.frequencies, 0, sizeof distance_code.frequencies);
  for (uint32_t i = 0; i < count; i++) {
    if (TOKEN_IS_MATCH(tokens[i])) {
      literal_code.frequencies[FIRST_LENGTH_SYMBOL + length_symbols[TOKEN_LENGTH(tokens[i])]]++;
      distance_code.frequencies[distance_symbol(TOKEN_DISTANCE(tokens[i]))]++;
    } else {
      literal_code.frequencies[tokens[i]]++;
    }
  }
  literal_code.frequencies[END_OF_BLOCK] = 1;
  make_code(&literal_code, LITERAL_SYMBOLS, CODE_BITS_MAX);
  make_code(&distance_code, DISTANCE_SYMBOLS, CODE_BITS_MAX);
}

static uint32_t without_trailing_zeros(const uint8_t *lengths, uint32_t symbols, uint32_t least) {
  while (symbols > least && lengths[symbols - 1] == 0) symbols--;
  return symbols;
}

static void add_to_order(uint32_t symbol, uint32_t extra) {
  order.symbols[order.count] = (uint8_t)symbol;
  order.extras[order.count++] = (uint8_t)extra;
  order_code.frequencies[symbol]++;
}

static void add_run(uint32_t length, uint32_t times) {
  while (length == 0 && times >= 11) {
    const uint32_t run = times < 138 ? times : 138;
    add_to_order(REPEAT_ZERO_LONG, run - 11);
    times -= run;
  }
  if (length == 0 && times >= 3) {
    add_to_order(REPEAT_ZERO, times - 3);
    return;
  }
  if (times == 0) return;
  add_to_order(length, 0);
  times--;
  while (length != 0 && times >= 3) {
    const uint32_t run = times < 6 ? times : 6;
    add_to_order(REPEAT_PREVIOUS, run - 3);
    times -= run;
  }
  for (; times > 0; times--) add_to_order(length, 0);
}

static void make_order(void) {
  uint8_t lengths[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
  order.literals = without_trailing_zeros(literal_code.lengths, LITERAL_SYMBOLS, FIRST_LENGTH_SYMBOL);
  order.distances = without_trailing_zeros(distance_code.lengths, DISTANCE_SYMBOLS, 1);
  memcpy(lengths, literal_code.lengths, order.literals);
  memcpy(lengths + order.literals, distance_code.lengths, order.distances);

  memset(order_code.frequencies, 0, sizeof order_code.frequencies);
  order.count = 0;
  const uint32_t all = order.literals + order.distances;
  for (uint32_t start = 0, end = 0; start < all; start = end) {
    while (end < all && lengths[end] == lengths[start]) end++;
    add_run(lengths[start], end - start);
  }
  make_code(&order_code, ORDER_SYMBOLS, ORDER_BITS_MAX);
  order.lengths = ORDER_SYMBOLS;
  while (order.lengths > 4 && order_code.lengths[order_of_lengths[order.lengths - 1]] == 0) order.lengths--;
}

static uint32_t extra_bits_of_order(uint32_t symbol) {
  switch (symbol) {
    case REPEAT_PREVIOUS:
      return 2;
    case REPEAT_ZERO:
      return 3;
    case REPEAT_ZERO_LONG:
      return 7;
    default:
      return 0;
  }
}

// What the block takes with the codes made.
static uint32_t dynamic_bits(void) {
  uint32_t bits = 5 + 5 + 4 + 3 * order.lengths;
  for (uint32_t i = 0; i < order.count; i++) {
    bits += order_code.lengths[order.symbols[i]] + extra_bits_of_order(order.symbols[i]);
  }
  for (uint32_t symbol = 0; symbol < LITERAL_SYMBOLS; symbol++) {
    const uint32_t extra = symbol < FIRST_LENGTH_SYMBOL ? 0 : length_ranges[symbol - FIRST_LENGTH_SYMBOL].extra_bits;
    bits += literal_code.frequencies[symbol] * (literal_code.lengths[symbol] + extra);
  }
  for (uint32_t symbol = 0; symbol < DISTANCE_SYMBOLS; symbol++) {
    bits += distance_code.frequencies[symbol] * (distance_code.lengths[symbol] + distance_ranges[symbol].extra_bits);
  }
  return bits;
}

static void write_symbol(struct bit_writer *writer, const struct code *code, uint32_t symbol) {
  write_bits(writer, code->words[symbol], code->lengths[symbol]);
}

static void write_dynamic(struct bit_writer *writer, const lz_token *tokens, uint32_t count) {
  write_bits(writer, order.literals - FIRST_LENGTH_SYMBOL, 5);
  write_bits(writer, order.distances - 1, 5);
  write_bits(writer, order.lengths - 4, 4);
  for (uint32_t i = 0; i < order.lengths; i++) write_bits(writer, order_code.lengths[order_of_lengths[i]], 3);
  for (uint32_t i = 0; i < order.count; i++) {
    write_symbol(writer, &order_code, order.symbols[i]);
    write_bits(writer, order.extras[i], extra_bits_of_order(order.symbols[i]));
  }
  for (uint32_t i = 0; i < count; i++) {
    if (!TOKEN_IS_MATCH(tokens[i])) {
      write_symbol(writer, &literal_code, tokens[i]);
      continue;
    }
    const uint32_t length = length_symbols[TOKEN_LENGTH(tokens[i])];
    write_symbol(writer, &literal_code, FIRST_LENGTH_SYMBOL + length);
    write_bits(writer, TOKEN_LENGTH(tokens[i]) - length_ranges[length].base, length_ranges[length].extra_bits);
    const uint32_t distance = distance_symbol(TOKEN_DISTANCE(tokens[i]));
    write_symbol(writer, &distance_code, distance);
    write_bits(writer, TOKEN_DISTANCE(tokens[i]) - distance_ranges[distance].base, distance_ranges[distance].extra_bits);
  }
  write_symbol(writer, &literal_code, END_OF_BLOCK);
}

static void write_stored(struct bit_writer *writer, const uint8_t *text, uint32_t bytes) {
  write_bits_align(writer);
  write_bits(writer, bytes, STORED_LENGTH_BITS);
  write_bits(writer, ~bytes & 0xFFFF, STORED_LENGTH_BITS);
  memcpy(writer->data + writer->bytes, text, bytes);
  writer->bytes += bytes;
}

void deflate_block(struct bit_writer *writer, const uint8_t *text, uint32_t bytes, const lz_token *tokens, uint32_t count,
                   int is_last) {
  make_codes(tokens, count);
  make_order();
  const int is_smaller = dynamic_bits() < 8 * (bytes + 4);
  write_bits(writer, is_last ? 1 : 0, 1);
  write_bits(writer, is_smaller ? BLOCK_DYNAMIC : BLOCK_STORED, BLOCK_KIND_BITS);
  if (is_smaller) {
    write_dynamic(writer, tokens, count);
  } else {
    write_stored(writer, text, bytes);
  }
}
