#include "matches.h"

#include "deflateFormat.h"
#include "heap.h"
#include "memory.h"

#define HASH_BITS 15
#define HASHES (1u << HASH_BITS)
#define HASH_FACTOR 2654435761u // 2^32 over the golden ratio
#define CHAIN_MAX 24u // how many candidates are looked at
#define MATCHES_MAX 8u // at one position

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

void matches_allocate(struct matches *matches, uint32_t block_bytes) {
  matches->first = heap_allocate((block_bytes + 1) * sizeof(uint32_t));
  matches->found = heap_allocate(block_bytes * MATCHES_MAX * sizeof(lz_token));
}

void matches_release(struct matches *matches) {
  heap_release(matches->first);
  heap_release(matches->found);
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

// Each match that is longer than all nearer ones. Returns their number.
static uint32_t find(const struct matcher *matcher, uint32_t position, uint32_t limit, lz_token *found) {
  if (limit < MATCH_MIN) return 0;
  const uint8_t *const text = matcher->input + position;
  uint32_t count = 0;
  uint32_t longest = MATCH_MIN - 1;
  uint32_t candidate = matcher->newest[hash_at(text)];
  for (uint32_t looked_at = 0; candidate != 0 && looked_at < CHAIN_MAX; looked_at++) {
    const uint32_t distance = position - (candidate - 1);
    if (distance >= WINDOW_BYTES) break;
    const uint8_t *const earlier = text - distance;
    // Only what agrees at the byte behind the longest so far can be longer.
    if (earlier[longest] == text[longest]) {
      const uint32_t length = common_length(earlier, text, limit);
      if (length > longest) {
        longest = length;
        if (count == MATCHES_MAX) count--;
        found[count++] = match_token(length, distance);
        if (length == limit) break;
      }
    }
    candidate = matcher->older[(candidate - 1) % WINDOW_BYTES];
  }
  return count;
}

void matches_find(struct matcher *matcher, uint32_t start, uint32_t end, struct matches *matches) {
  uint32_t count = 0;
  uint32_t searched_from = start; // what a long match covers is not searched
  for (uint32_t position = start; position < end; position++) {
    matches->first[position - start] = count;
    if (position >= searched_from) {
      const uint32_t limit = end - position < MATCH_MAX ? end - position : MATCH_MAX;
      count += find(matcher, position, limit, matches->found + count);
      const int any = count > matches->first[position - start];
      const uint32_t longest = any ? token_length(matches->found[count - 1]) : 0;
      if (longest >= LENGTH_ENOUGH) searched_from = position + longest;
    }
    insert(matcher, position);
  }
  matches->first[end - start] = count;
}
