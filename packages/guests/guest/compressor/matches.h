// Where in the window the text at each position has stood before: hash chains.
#ifndef MATCHES_H
#define MATCHES_H

#include <stdint.h>

#include "token.h"

// A match this long is taken without a look at the choices it leaves out.
#define LENGTH_ENOUGH 48u

struct matcher {
  const uint8_t *input;
  uint32_t input_bytes;
  // For each hash the newest position, for each position of the window the next older one of the same hash. Counted
  // from 1: 0 is the end of a chain.
  uint32_t *newest;
  uint32_t *older;
};

// The matches at each position of a block, from short to long; a longer one is further off. Those of position i stand
// in matches[first[i]] up to matches[first[i + 1]].
struct matches {
  uint32_t *first;
  lz_token *found;
};

void matcher_start(struct matcher *matcher, const uint8_t *input, uint32_t input_bytes);
void matcher_end(struct matcher *matcher);

// With room for a block of that many bytes.
void matches_allocate(struct matches *matches, uint32_t block_bytes);
void matches_release(struct matches *matches);

// Finds those of input[start..end), which must follow on what was taken before. None goes beyond the end.
void matches_find(struct matcher *matcher, uint32_t start, uint32_t end, struct matches *matches);

#endif
