#include "table.h"

#include "heap.h"
#include "memory.h"

#define ENTRIES 65536u // a power of two
#define HASH_BITS 16u
#define HASH_FACTOR 0x9E3779B1u // a prime near 2^32 divided by the golden ratio
#define BOARD_FOLD 15u

struct entry {
  cells key; // 0: free
  int32_t least;
  int32_t most;
};

static struct entry *entries;

void table_initialise(void) {
  entries = heap_allocate(ENTRIES * sizeof(struct entry));
  table_clear();
}

void table_clear(void) {
  memset(entries, 0, ENTRIES * sizeof(struct entry));
}

// Differs for each two positions of a board: above the stones of a column the sum leaves a mark. It is 0 for the empty
// board only, which is never searched a second time.
static cells key_of(const struct position *position) {
  return position->own + position->taken;
}

static struct entry *entry_of(cells key) {
  const uint32_t folded = (uint32_t)key ^ (uint32_t)(key >> 32) * BOARD_FOLD;
  return &entries[folded * HASH_FACTOR >> (32 - HASH_BITS)];
}

void table_recall(const struct position *position, struct bounds *bounds) {
  const cells key = key_of(position);
  const struct entry *const entry = entry_of(key);
  if (entry->key != key || key == 0) return;
  if (entry->least > bounds->least) bounds->least = entry->least;
  if (entry->most < bounds->most) bounds->most = entry->most;
}

void table_remember(const struct position *position, struct bounds bounds) {
  const cells key = key_of(position);
  *entry_of(key) = (struct entry){key, bounds.least, bounds.most};
}
