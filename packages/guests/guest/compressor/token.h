// What LZ77 makes of a text: literals, and matches, which refer to what stood before.
#ifndef TOKEN_H
#define TOKEN_H

#include <stdint.h>

// A literal is its byte; a match is its length in the upper half and its distance in the lower.
typedef uint32_t lz_token;

static inline lz_token match_token(uint32_t length, uint32_t distance) {
  return length << 16 | distance;
}

static inline int token_is_match(lz_token token) {
  return token >> 16 != 0;
}

static inline uint32_t token_length(lz_token match) {
  return match >> 16;
}

static inline uint32_t token_distance(lz_token match) {
  return match & 0xFFFF;
}

#endif
