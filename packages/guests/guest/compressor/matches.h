// LZ77: the text as literals and references to what stood before (hash chains, lazy matching).
#ifndef MATCHES_H
#define MATCHES_H

#include <stdint.h>

// A literal is its byte; a match is its length in the upper half and its distance in the lower.
typedef uint32_t lz_token;
#define TOKEN_IS_MATCH(token) ((token) >> 16 != 0)
#define TOKEN_LENGTH(token) ((token) >> 16)
#define TOKEN_DISTANCE(token) ((token) & 0xFFFF)

struct matcher {
  const uint8_t *input;
  uint32_t input_bytes;
  // For each hash the newest position, for each position of the window the next older one of the same hash. Counted from 1:
  // 0 is the end of a chain.
  uint32_t *newest;
  uint32_t *older;
};

// Allocates the tables.
void matcher_start(struct matcher *matcher, const uint8_t *input, uint32_t input_bytes);

// Takes input[start..end), which must follow on what was taken before. Returns the number of tokens, at most one a byte.
uint32_t matcher_take(struct matcher *matcher, uint32_t start, uint32_t end, lz_token *tokens);

void matcher_end(struct matcher *matcher);

#endif
