// The choice of tokens for a block: of all ways to put it together from literals and matches the cheapest.
#ifndef PARSE_H
#define PARSE_H

#include <stdint.h>

#include "codes.h"
#include "matches.h"

// Room to work in.
struct parse {
  uint32_t *costs; // of getting to each position, in bits
  lz_token *steps; // the last token on the way to it
};

void parse_allocate(struct parse *parse, uint32_t block_bytes);
void parse_release(struct parse *parse);

// Returns the number of tokens, at most one a byte.
uint32_t parse_block(struct parse *parse, const uint8_t *text, uint32_t bytes, const struct matches *matches,
                     const struct prices *prices, lz_token *tokens);

#endif
