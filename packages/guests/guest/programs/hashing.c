// Hashing: words of a made-up text, counted in a table with chains, by two hash functions.
#include <stddef.h>

#include "program.h"

#define BUCKETS 1024
#define ENTRIES 6000
#define WORD_BYTES_MAX 12
#define WORDS 12000

const char program_name[] = "hashing";
uint32_t program_rounds = 150;

struct entry {
  struct entry *next;
  uint32_t hash;
  uint32_t count;
  uint8_t length;
  char word[WORD_BYTES_MAX];
};

static struct entry entries[ENTRIES];
static struct entry *buckets[BUCKETS];
static uint32_t used;

static uint32_t fowler_noll_vo(const char *word, uint32_t length) {
  uint32_t hash = 0x811C9DC5u;
  for (uint32_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)word[i]) * 0x01000193u;
  return hash;
}

static uint32_t one_at_a_time(const char *word, uint32_t length) {
  uint32_t hash = 0;
  for (uint32_t i = 0; i < length; i++) {
    hash += (uint8_t)word[i];
    hash += hash << 10;
    hash ^= hash >> 6;
  }
  hash += hash << 3;
  hash ^= hash >> 11;
  return hash + (hash << 15);
}

static int is_same(const struct entry *entry, uint32_t hash, const char *word, uint32_t length) {
  if (entry->hash != hash || entry->length != length) return 0;
  for (uint32_t i = 0; i < length; i++) {
    if (entry->word[i] != word[i]) return 0;
  }
  return 1;
}

static struct entry *entry_of(uint32_t hash, const char *word, uint32_t length) {
  struct entry **place = &buckets[hash % BUCKETS];
  for (; *place != NULL; place = &(*place)->next) {
    if (is_same(*place, hash, word, length)) return *place;
  }
  if (used == ENTRIES) return &entries[hash % ENTRIES];
  struct entry *const entry = &entries[used++];
  entry->next = NULL;
  entry->hash = hash;
  entry->count = 0;
  entry->length = (uint8_t)length;
  for (uint32_t i = 0; i < length; i++) entry->word[i] = word[i];
  *place = entry;
  return entry;
}

uint32_t program_round(uint32_t round) {
  uint32_t (*const hash)(const char *, uint32_t) = (round & 1) != 0 ? one_at_a_time : fowler_noll_vo;
  for (uint32_t i = 0; i < BUCKETS; i++) buckets[i] = NULL;
  used = 0;
  uint32_t seed = round + 5;
  for (uint32_t i = 0; i < WORDS; i++) {
    // The smaller, the more often: of two random numbers the smaller one.
    const uint32_t one = program_random(&seed) % 9000;
    const uint32_t other = program_random(&seed) % 9000;
    uint32_t number = one < other ? one : other;
    char word[WORD_BYTES_MAX];
    uint32_t length = 0;
    do {
      word[length++] = "etaoinshrdlu"[number % 12];
      number /= 12;
    } while (number != 0);
    while (length < 4 + number % 3) word[length++] = 's';
    entry_of(hash(word, length), word, length)->count++;
  }
  uint32_t digest = used;
  for (uint32_t i = 0; i < used; i++) digest = program_digest(digest, entries[i].hash + entries[i].count);
  return digest;
}
