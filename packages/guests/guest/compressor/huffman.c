#include "huffman.h"

#include "memory.h"

#define DEPTH_MAX 32u // no Huffman tree over the frequencies of one block is deeper

struct node {
  uint32_t weight;
  uint16_t parent;
};

// The symbols that occur, rarest first.
static uint32_t sort_by_frequency(const uint32_t *frequencies, uint32_t symbols, uint16_t *sorted) {
  uint32_t count = 0;
  for (uint32_t symbol = 0; symbol < symbols; symbol++) {
    if (frequencies[symbol] == 0) continue;
    uint32_t place = count++;
    for (; place > 0 && frequencies[sorted[place - 1]] > frequencies[symbol]; place--) sorted[place] = sorted[place - 1];
    sorted[place] = (uint16_t)symbol;
  }
  return count;
}

// Joins the two lightest nodes until one is left. Leaves come sorted and joined nodes come into being in order of
// weight, so the lightest is always at the head of one of the two rows. Then counts how many leaves have which depth.
static void count_depths(struct node *nodes, uint32_t leaves, uint32_t *leaves_at) {
  uint32_t leaf = 0;
  uint32_t joined = leaves;
  const uint32_t root = 2 * leaves - 2;
  for (uint32_t fresh = leaves; fresh <= root; fresh++) {
    nodes[fresh].weight = 0;
    for (int child = 0; child < 2; child++) {
      const int take_leaf = leaf < leaves && (joined == fresh || nodes[leaf].weight <= nodes[joined].weight);
      struct node *const lightest = take_leaf ? &nodes[leaf++] : &nodes[joined++];
      nodes[fresh].weight += lightest->weight;
      lightest->parent = (uint16_t)fresh;
    }
  }
  // From here on `weight` is the depth.
  nodes[root].weight = 0;
  for (uint32_t i = root; i-- > 0;) {
    nodes[i].weight = nodes[nodes[i].parent].weight + 1;
    if (i < leaves) leaves_at[nodes[i].weight]++;
  }
}

// Moves pairs of leaves up from below the limit: one takes its parent's place, the other goes beside a leaf further up,
// which goes down by one (as JPEG does, ITU-T T.81 figure K.3).
static void limit_depths(uint32_t *leaves_at, uint32_t limit) {
  for (uint32_t depth = DEPTH_MAX - 1; depth > limit; depth--) {
    while (leaves_at[depth] > 0) {
      uint32_t above = depth - 2;
      while (leaves_at[above] == 0) above--;
      leaves_at[depth] -= 2;
      leaves_at[depth - 1]++;
      leaves_at[above + 1] += 2;
      leaves_at[above]--;
    }
  }
}

void huffman_lengths(const uint32_t *frequencies, uint32_t symbols, uint32_t limit, uint8_t *lengths) {
  uint16_t sorted[HUFFMAN_SYMBOLS_MAX];
  struct node nodes[2 * HUFFMAN_SYMBOLS_MAX];
  uint32_t leaves_at[DEPTH_MAX] = {0};

  memset(lengths, 0, symbols);
  const uint32_t leaves = sort_by_frequency(frequencies, symbols, sorted);
  if (leaves < 2) {
    // The one that occurs, and another that does not.
    const uint32_t used = leaves == 1 ? sorted[0] : 0;
    lengths[used] = 1;
    lengths[used == 0 ? 1 : 0] = 1;
    return;
  }
  for (uint32_t i = 0; i < leaves; i++) nodes[i].weight = frequencies[sorted[i]];
  count_depths(nodes, leaves, leaves_at);
  limit_depths(leaves_at, limit);
  uint32_t next = 0;
  for (uint32_t depth = limit; depth > 0; depth--) {
    for (uint32_t i = 0; i < leaves_at[depth]; i++) lengths[sorted[next++]] = (uint8_t)depth;
  }
}

static uint16_t reversed(uint32_t word, uint32_t bits) {
  uint32_t result = 0;
  for (; bits > 0; bits--, word >>= 1) result = result << 1 | (word & 1);
  return (uint16_t)result;
}

void huffman_words(const uint8_t *lengths, uint32_t symbols, uint16_t *words) {
  uint32_t count[CODE_BITS_MAX + 1] = {0};
  uint32_t next[CODE_BITS_MAX + 1] = {0};
  for (uint32_t symbol = 0; symbol < symbols; symbol++) count[lengths[symbol]]++;
  count[0] = 0;
  for (uint32_t bits = 1; bits <= CODE_BITS_MAX; bits++) next[bits] = (next[bits - 1] + count[bits - 1]) << 1;
  for (uint32_t symbol = 0; symbol < symbols; symbol++) {
    const uint32_t bits = lengths[symbol];
    words[symbol] = bits == 0 ? 0 : reversed(next[bits]++, bits);
  }
}
