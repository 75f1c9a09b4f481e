#include "parse.h"

#include "heap.h"

void parse_allocate(struct parse *parse, uint32_t block_bytes) {
  parse->costs = heap_allocate((block_bytes + 1) * sizeof(uint32_t));
  parse->steps = heap_allocate((block_bytes + 1) * sizeof(lz_token));
}

void parse_release(struct parse *parse) {
  heap_release(parse->costs);
  heap_release(parse->steps);
}

static void offer(const struct parse *parse, uint32_t position, uint32_t cost, lz_token step) {
  if (cost >= parse->costs[position]) return;
  parse->costs[position] = cost;
  parse->steps[position] = step;
}

// From each length the nearest match that has it, down from the match's own length.
static void offer_matches(const struct parse *parse, uint32_t position, const lz_token *matches, const lz_token *end,
                          const struct prices *prices) {
  uint32_t length = MATCH_MIN;
  for (; matches < end; matches++) {
    const uint32_t longest = token_length(*matches);
    const uint32_t distance = token_distance(*matches);
    const uint32_t cost = parse->costs[position] + prices->distances[distance_symbol_of(distance)];
    if (longest >= LENGTH_ENOUGH) length = longest;
    for (; length <= longest; length++) {
      offer(parse, position + length, cost + prices->lengths[length], match_token(length, distance));
    }
  }
}

static uint32_t length_of(lz_token step) {
  return token_is_match(step) ? token_length(step) : 1;
}

// Follows the steps back from the end, and puts them in order.
static uint32_t collect(const struct parse *parse, uint32_t bytes, lz_token *tokens) {
  uint32_t count = 0;
  for (uint32_t position = bytes; position > 0; position -= length_of(parse->steps[position])) count++;
  uint32_t place = count;
  for (uint32_t position = bytes; position > 0; position -= length_of(parse->steps[position])) {
    tokens[--place] = parse->steps[position];
  }
  return count;
}

uint32_t parse_block(struct parse *parse, const uint8_t *text, uint32_t bytes, const struct matches *matches,
                     const struct prices *prices, lz_token *tokens) {
  parse->costs[0] = 0;
  for (uint32_t position = 1; position <= bytes; position++) parse->costs[position] = UINT32_MAX;
  for (uint32_t position = 0; position < bytes; position++) {
    offer(parse, position + 1, parse->costs[position] + prices->literals[text[position]], text[position]);
    offer_matches(parse, position, matches->found + matches->first[position], matches->found + matches->first[position + 1],
                  prices);
  }
  return collect(parse, bytes, tokens);
}
