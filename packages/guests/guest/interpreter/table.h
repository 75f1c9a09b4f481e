// A hash table with open addressing: from words to words. It grows as it fills.
#ifndef TABLE_H
#define TABLE_H

#include <stdint.h>

struct table {
  struct slot *slots;
  uint32_t bits; // there are 2^bits slots
  uint32_t keys;
};

void table_make(struct table *table);
void table_release(struct table *table);

// NULL where the key is not there. Valid until the next table_put.
const uint32_t *table_get(const struct table *table, uint32_t key);

void table_put(struct table *table, uint32_t key, uint32_t value);

// The sum of something that depends on each key and its value, and on nothing else.
uint32_t table_digest(const struct table *table);

#endif
