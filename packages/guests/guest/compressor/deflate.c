#include "deflate.h"

#include "deflateFormat.h"
#include "measures.h"
#include "memory.h"

#define STORED_HEADER_BYTES (2 * STORED_LENGTH_BITS / 8)

static struct measures measures;

// What the tokens and the end of the block take.
static uint32_t token_bits(const struct codes *codes) {
  uint32_t bits = 0;
  for (uint32_t symbol = 0; symbol < LITERAL_SYMBOLS; symbol++) {
    const uint32_t extra = symbol < FIRST_LENGTH_SYMBOL ? 0 : length_ranges[symbol - FIRST_LENGTH_SYMBOL].extra_bits;
    bits += codes->literals.frequencies[symbol] * (codes->literals.lengths[symbol] + extra);
  }
  for (uint32_t symbol = 0; symbol < DISTANCE_SYMBOLS; symbol++) {
    bits += codes->distances.frequencies[symbol] * (codes->distances.lengths[symbol] + distance_ranges[symbol].extra_bits);
  }
  return bits;
}

static void write_symbol(struct bit_writer *writer, const struct code *code, uint32_t symbol) {
  write_bits(writer, code->words[symbol], code->lengths[symbol]);
}

static void write_token(struct bit_writer *writer, const struct codes *codes, lz_token token) {
  if (!token_is_match(token)) {
    write_symbol(writer, &codes->literals, token);
    return;
  }
  const uint32_t length = length_symbol_of(token_length(token));
  write_symbol(writer, &codes->literals, FIRST_LENGTH_SYMBOL + length);
  write_bits(writer, token_length(token) - length_ranges[length].base, length_ranges[length].extra_bits);
  const uint32_t distance = distance_symbol_of(token_distance(token));
  write_symbol(writer, &codes->distances, distance);
  write_bits(writer, token_distance(token) - distance_ranges[distance].base, distance_ranges[distance].extra_bits);
}

static void write_stored(struct bit_writer *writer, const uint8_t *text, uint32_t bytes) {
  write_bits_align(writer);
  write_bits(writer, bytes, STORED_LENGTH_BITS);
  write_bits(writer, ~bytes & STORED_LENGTH_MASK, STORED_LENGTH_BITS);
  memcpy(writer->data + writer->bytes, text, bytes);
  writer->bytes += bytes;
}

void deflate_block(struct bit_writer *writer, const uint8_t *text, uint32_t bytes, const struct codes *codes,
                   const lz_token *tokens, uint32_t count, int is_last) {
  measures_make(&measures, codes);
  const int is_smaller = measures_bits(&measures) + token_bits(codes) < 8 * (STORED_HEADER_BYTES + bytes);
  write_bits(writer, is_last ? 1 : 0, BLOCK_LAST_BITS);
  write_bits(writer, is_smaller ? BLOCK_DYNAMIC : BLOCK_STORED, BLOCK_KIND_BITS);
  if (!is_smaller) {
    write_stored(writer, text, bytes);
    return;
  }
  measures_write(&measures, writer);
  for (uint32_t i = 0; i < count; i++) write_token(writer, codes, tokens[i]);
  write_symbol(writer, &codes->literals, END_OF_BLOCK);
}
