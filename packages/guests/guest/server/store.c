#include "store.h"

#include <stddef.h>

#include "crc32.h"
#include "heap.h"
#include "memory.h"
#include "panic.h"

#define SLOTS 16384u // a power of two
#define KEYS_MAX (SLOTS / 4 * 3)

// A slot whose key is empty is free. Keys are never removed.
struct slot {
  struct name key;
  uint32_t value;
};

static struct slot *slots;
static struct totals kept;

void store_initialise(void) {
  slots = heap_allocate(SLOTS * sizeof(struct slot));
  memset(slots, 0, SLOTS * sizeof(struct slot));
}

static uint32_t key_bytes(const struct name *key) {
  uint32_t bytes = 0;
  while (key->text[bytes] != '\0') bytes++;
  return bytes;
}

static uint32_t digest_of(const struct slot *slot) {
  return crc32_append_word(crc32_append(0, slot->key.text, key_bytes(&slot->key)), slot->value);
}

// The slot of a key, or the free one where it belongs. There is always a free one.
static struct slot *find(const struct name *key) {
  uint32_t place = crc32_append(0, key->text, key_bytes(key)) % SLOTS;
  while (slots[place].key.text[0] != '\0' && memcmp(&slots[place].key, key, sizeof *key) != 0) {
    place = (place + 1) % SLOTS;
  }
  return &slots[place];
}

const uint32_t *store_get(const struct name *key) {
  const struct slot *const slot = find(key);
  return slot->key.text[0] == '\0' ? NULL : &slot->value;
}

int store_put(const struct name *key, uint32_t value) {
  struct slot *const slot = find(key);
  if (slot->key.text[0] == '\0') {
    if (kept.keys == KEYS_MAX) return 0;
    kept.keys++;
    slot->key = *key;
  } else {
    kept.sum -= slot->value;
    kept.digest -= digest_of(slot);
  }
  slot->value = value;
  kept.sum += value;
  kept.digest += digest_of(slot);
  return 1;
}

struct totals store_totals(void) {
  struct totals counted = {0, 0, 0};
  for (uint32_t i = 0; i < SLOTS; i++) {
    if (slots[i].key.text[0] == '\0') continue;
    counted.keys++;
    counted.sum += slots[i].value;
    counted.digest += digest_of(&slots[i]);
  }
  if (memcmp(&counted, &kept, sizeof kept) != 0) panic("server: the store does not agree with its totals");
  return counted;
}
