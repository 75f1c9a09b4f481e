#include "codes.h"

#include "huffman.h"
#include "memory.h"

#define GUESSED_LITERAL_BITS 8u
#define GUESSED_LENGTH_BITS 7u
#define GUESSED_DISTANCE_BITS 5u
#define UNUSED_SYMBOL_BITS 12u // of a symbol that the code does not have, but the next one may

void code_make(struct code *code, uint32_t symbols, uint32_t limit) {
  huffman_lengths(code->frequencies, symbols, limit, code->lengths);
  huffman_words(code->lengths, symbols, code->words);
}

void codes_make(struct codes *codes, const lz_token *tokens, uint32_t count) {
  uint32_t *const literals = codes->literals.frequencies;
  uint32_t *const distances = codes->distances.frequencies;
  memset(literals, 0, sizeof codes->literals.frequencies);
  memset(distances, 0, sizeof codes->distances.frequencies);
  for (uint32_t i = 0; i < count; i++) {
    if (token_is_match(tokens[i])) {
      literals[FIRST_LENGTH_SYMBOL + length_symbol_of(token_length(tokens[i]))]++;
      distances[distance_symbol_of(token_distance(tokens[i]))]++;
    } else {
      literals[tokens[i]]++;
    }
  }
  literals[END_OF_BLOCK] = 1;
  code_make(&codes->literals, LITERAL_SYMBOLS, CODE_BITS_MAX);
  code_make(&codes->distances, DISTANCE_SYMBOLS, CODE_BITS_MAX);
}

void prices_guess(struct prices *prices) {
  memset(prices->literals, GUESSED_LITERAL_BITS, sizeof prices->literals);
  for (uint32_t length = MATCH_MIN; length <= MATCH_MAX; length++) {
    prices->lengths[length] = (uint8_t)(GUESSED_LENGTH_BITS + length_ranges[length_symbol_of(length)].extra_bits);
  }
  for (uint32_t symbol = 0; symbol < DISTANCE_SYMBOLS; symbol++) {
    prices->distances[symbol] = (uint8_t)(GUESSED_DISTANCE_BITS + distance_ranges[symbol].extra_bits);
  }
}

static uint32_t bits_of(const struct code *code, uint32_t symbol) {
  return code->lengths[symbol] != 0 ? code->lengths[symbol] : UNUSED_SYMBOL_BITS;
}

void prices_of(struct prices *prices, const struct codes *codes) {
  for (uint32_t byte = 0; byte < LITERALS; byte++) prices->literals[byte] = (uint8_t)bits_of(&codes->literals, byte);
  for (uint32_t length = MATCH_MIN; length <= MATCH_MAX; length++) {
    const uint32_t symbol = length_symbol_of(length);
    const uint32_t bits = bits_of(&codes->literals, FIRST_LENGTH_SYMBOL + symbol);
    prices->lengths[length] = (uint8_t)(bits + length_ranges[symbol].extra_bits);
  }
  for (uint32_t symbol = 0; symbol < DISTANCE_SYMBOLS; symbol++) {
    prices->distances[symbol] = (uint8_t)(bits_of(&codes->distances, symbol) + distance_ranges[symbol].extra_bits);
  }
}
