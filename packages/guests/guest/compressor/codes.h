// The Huffman codes of a block, and what each token costs with them.
#ifndef CODES_H
#define CODES_H

#include <stdint.h>

#include "deflateFormat.h"
#include "token.h"

struct code {
  uint32_t frequencies[LITERAL_SYMBOLS];
  uint8_t lengths[LITERAL_SYMBOLS];
  uint16_t words[LITERAL_SYMBOLS];
};

struct codes {
  struct code literals; // and lengths
  struct code distances;
};

// In bits. A match costs the sum of its two prices.
struct prices {
  uint8_t literals[LITERALS];
  uint8_t lengths[MATCH_MAX + 1];
  uint8_t distances[DISTANCE_SYMBOLS];
};

// From the frequencies of the code.
void code_make(struct code *code, uint32_t symbols, uint32_t limit);

void codes_make(struct codes *codes, const lz_token *tokens, uint32_t count);

// What to expect before there is any code.
void prices_guess(struct prices *prices);

void prices_of(struct prices *prices, const struct codes *codes);

#endif
