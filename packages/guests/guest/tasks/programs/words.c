// Writes a text of made-up words, then counts how often each occurs with an open hash table.
#include "crc32.h"
#include "memory.h"
#include "programs.h"
#include "random.h"
#include "systemCalls.h"

#define TEXT_BYTES (48u * 1024)
#define SYLLABLES 16u
#define SYLLABLE_BYTES 2u
#define WORD_SYLLABLES_MAX 3u
#define WORD_BYTES_MAX (WORD_SYLLABLES_MAX * SYLLABLE_BYTES)
#define SLOTS 32768u // a power of two; there are fewer than 4400 different words, so that the table is thinly filled
#define FNV_START 2166136261u
#define FNV_FACTOR 16777619u

static const char syllables[SYLLABLES][SYLLABLE_BYTES + 1] = {
    "ba", "co", "di", "fu", "ge", "ha", "jo", "ki", "lu", "me", "na", "po", "ri", "su", "te", "wa",
};

struct slot {
  uint32_t start; // of the word in the text
  uint32_t bytes; // 0: free
  uint32_t occurrences;
};

struct memory {
  char text[TEXT_BYTES];
  struct slot slots[SLOTS];
};

struct text {
  uint32_t bytes;
  uint32_t words;
};

static struct text write_text(char *text, uint32_t seed) {
  struct text written = {0, 0};
  while (written.bytes + WORD_BYTES_MAX + 1 <= TEXT_BYTES) {
    uint32_t random = random_next(&seed);
    const uint32_t count = 1 + random % WORD_SYLLABLES_MAX;
    for (uint32_t i = 0; i < count; i++) {
      random >>= 4;
      for (uint32_t letter = 0; letter < SYLLABLE_BYTES; letter++) {
        text[written.bytes++] = syllables[random % SYLLABLES][letter];
      }
    }
    text[written.bytes++] = ' ';
    written.words++;
  }
  return written;
}

static void count_word(struct memory *memory, uint32_t start, uint32_t bytes, uint32_t hash) {
  uint32_t place = hash % SLOTS;
  while (memory->slots[place].bytes != 0) {
    struct slot *const slot = &memory->slots[place];
    if (slot->bytes == bytes && memcmp(memory->text + slot->start, memory->text + start, bytes) == 0) {
      slot->occurrences++;
      return;
    }
    place = (place + 1) % SLOTS;
  }
  memory->slots[place] = (struct slot){start, bytes, 1};
}

static void count_words(struct memory *memory, uint32_t text_bytes) {
  uint32_t start = 0;
  uint32_t hash = FNV_START;
  for (uint32_t i = 0; i < text_bytes; i++) {
    if (memory->text[i] != ' ') {
      hash = (hash ^ (uint8_t)memory->text[i]) * FNV_FACTOR;
      continue;
    }
    count_word(memory, start, i - start, hash ^ hash >> 16);
    start = i + 1;
    hash = FNV_START;
  }
}

static uint32_t run(void *own, uint32_t seed) {
  struct memory *const memory = own;
  memset(memory->slots, 0, sizeof memory->slots);
  const struct text text = write_text(memory->text, seed);
  count_words(memory, text.bytes);
  uint32_t counted = 0;
  uint32_t letters = 0;
  uint32_t crc = crc32_append(0, memory->text, text.bytes);
  for (uint32_t i = 0; i < SLOTS; i++) {
    const struct slot *const slot = &memory->slots[i];
    if (slot->bytes == 0) continue;
    counted += slot->occurrences;
    letters += slot->occurrences * slot->bytes;
    crc = crc32_append(crc, slot, sizeof *slot);
  }
  if (counted != text.words || letters + counted != text.bytes) fail("the counts of the words do not add up");
  return crc;
}

const struct program words = {"words", sizeof(struct memory), 0x30BD5004, run};
