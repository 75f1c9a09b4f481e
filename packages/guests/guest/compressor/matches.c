#include "matches.h"

#include "deflateFormat.h"
#include "heap.h"
#include "memory.h"

#define HASH_BITS 15
#define HASHES (1u << HASH_BITS)
#define HASH_FACTOR 2654435761u // 2^32 over the golden ratio
#define CHAIN_MAX 128u // how many candidates are looked at
#define LENGTH_ENOUGH 128u // no search for anything better

struct match {
  uint32_t length; // 0: none
  uint32_t distance;
};

void matcher_start(struct matcher *matcher, const uint8_t *input, uint32_t input_bytes) {
  matcher->input = input;
  matcher->input_bytes = input_bytes;
  matcher->newest = heap_allocate(HASHES * sizeof(uint32_t));
  matcher->older = heap_allocate(WINDOW_BYTES * sizeof(uint32_t));
  memset(matcher->newest, 0, HASHES * sizeof(uint32_t));
}

void matcher_end(struct matcher *matcher) {
  heap_release(matcher->newest);
  heap_release(matcher->older);
}

static uint32_t hash_at(const uint8_t *text) {
  const uint32_t three = (uint32_t)text[0] | (uint32_t)text[1] << 8 | (uint32_t)text[2] << 16;
  return three * HASH_FACTOR >> (32 - HASH_BITS);
}

static void insert(struct matcher *matcher, uint32_t position) {
  if (position + MATCH_MIN > matcher->input_bytes) return;
  uint32_t *const newest = &matcher->newest[hash_at(matcher->input + position)];
  matcher->older[position % WINDOW_BYTES] = *newest;
  *newest = position + 1;
}

static uint32_t common_length(const uint8_t *left, const uint8_t *right, uint32_t limit) {
  uint32_t length = 0;
  while (length < limit && left[length] == right[length]) length++;
  return length;
}

// The longest match for the text at `position` that ends before `end`. Of equals the nearest.
static struct match find(const struct matcher *matcher, uint32_t position, uint32_t end) {
  struct match best = {0, 0};
  const uint32_t limit = end - position < MATCH_MAX ? end - position : MATCH_MAX;
  if (limit < MATCH_MIN) return best;
  const uint8_t *const text = matcher->input + position;
  uint32_t candidate = matcher->newest[hash_at(text)];
  for (uint32_t looked_at = 0; candidate != 0 && looked_at < CHAIN_MAX; looked_at++) {
    const uint32_t distance = position - (candidate - 1);
    if (distance >= WINDOW_BYTES) break;
    const uint8_t *const earlier = text - distance;
    // Only what agrees at the last byte that is needed can be longer.
    if (earlier[best.length] == text[best.length]) {
      const uint32_t length = common_length(earlier, text, limit);
      if (length > best.length) {
        best = (struct match){length, distance};
        if (length == limit || length >= LENGTH_ENOUGH) break;
      }
    }
    candidate = matcher->older[(candidate - 1) % WINDOW_BYTES];
  }
  return best.length >= MATCH_MIN ? best : (struct match){0, 0};
}

uint32_t matcher_take(struct matcher *matcher, uint32_t start, uint32_t end, lz_token *tokens) {
  uint32_t count = 0;
  uint32_t position = start;
  struct match match = find(matcher, position, end);
  while (position < end) {
    insert(matcher, position);
    const struct match next = match.length < LENGTH_ENOUGH ? find(matcher, position + 1, end) : (struct match){0, 0};
    if (match.length == 0 || next.length > match.length) {
      tokens[count++] = matcher->input[position++];
      match = next;
      continue;
    }
    tokens[count++] = match.length << 16 | match.distance;
    const uint32_t behind = position + match.length;
    while (++position < behind) insert(matcher, position);
    match = find(matcher, position, end);
  }
  return count;
}
