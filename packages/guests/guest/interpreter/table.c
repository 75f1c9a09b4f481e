#include "table.h"

#include <stddef.h>

#include "crc32.h"
#include "heap.h"
#include "memory.h"

#define BITS_AT_FIRST 6u
#define HASH_FACTOR 0x9E3779B1u // a prime near 2^32 divided by the golden ratio

struct slot {
  uint32_t taken;
  uint32_t key;
  uint32_t value;
};

static uint32_t slot_count(const struct table *table) {
  return 1u << table->bits;
}

static void make_slots(struct table *table, uint32_t bits) {
  table->bits = bits;
  table->slots = heap_allocate(slot_count(table) * sizeof(struct slot));
  memset(table->slots, 0, slot_count(table) * sizeof(struct slot));
}

void table_make(struct table *table) {
  table->keys = 0;
  make_slots(table, BITS_AT_FIRST);
}

void table_release(struct table *table) {
  heap_release(table->slots);
}

// The slot of a key, or the free one where it belongs. There is always a free one.
static struct slot *find(const struct table *table, uint32_t key) {
  const uint32_t mask = slot_count(table) - 1;
  uint32_t place = key * HASH_FACTOR >> (32 - table->bits);
  while (table->slots[place].taken && table->slots[place].key != key) place = (place + 1) & mask;
  return &table->slots[place];
}

const uint32_t *table_get(const struct table *table, uint32_t key) {
  const struct slot *const slot = find(table, key);
  return slot->taken ? &slot->value : NULL;
}

static void grow(struct table *table) {
  struct slot *const before = table->slots;
  const uint32_t count_before = slot_count(table);
  make_slots(table, table->bits + 1);
  for (uint32_t i = 0; i < count_before; i++) {
    if (before[i].taken) *find(table, before[i].key) = before[i];
  }
  heap_release(before);
}

void table_put(struct table *table, uint32_t key, uint32_t value) {
  struct slot *slot = find(table, key);
  if (!slot->taken) {
    // A quarter of the slots stays free.
    if (table->keys == slot_count(table) / 4 * 3) {
      grow(table);
      slot = find(table, key);
    }
    table->keys++;
  }
  *slot = (struct slot){1, key, value};
}

uint32_t table_digest(const struct table *table) {
  uint32_t digest = 0;
  for (uint32_t i = 0; i < slot_count(table); i++) {
    const struct slot *const slot = &table->slots[i];
    if (slot->taken) digest += crc32_append_word(crc32_append_word(0, slot->key), slot->value);
  }
  return digest;
}
