// A compressor: writes a text, packs it by LZ77 with hash chains, unpacks it and compares.
#include "program.h"

#define TEXT_BYTES 65536u
#define WINDOW 8192u
#define HASHES 4096u
#define CHAIN_MAX 16
#define MATCH_MIN 4u
#define MATCH_MAX 67u

const char program_name[] = "packer";
uint32_t program_rounds = 40;

static uint8_t text[TEXT_BYTES];
static uint8_t packed[TEXT_BYTES + TEXT_BYTES / 8 + 16];
static uint8_t unpacked[TEXT_BYTES];
static uint32_t newest[HASHES]; // position + 1 of the last text with this hash, 0 for none
static uint32_t older[WINDOW];

static void write_text(uint32_t seed) {
  static uint8_t words[256][8];
  for (uint32_t i = 0; i < 256; i++) {
    for (uint32_t j = 0; j < 8; j++) words[i][j] = (uint8_t)('a' + program_random(&seed) % 26);
  }
  uint32_t length = 0;
  while (length < TEXT_BYTES) {
    const uint32_t chance = program_random(&seed);
    const uint8_t *const word = words[(chance & 255) * (chance >> 8 & 255) >> 8];
    const uint32_t letters = 2 + (chance >> 16) % 7;
    for (uint32_t j = 0; j < letters && length < TEXT_BYTES; j++) text[length++] = word[j];
    if (length < TEXT_BYTES) text[length++] = ' ';
  }
}

static uint32_t hash_at(uint32_t at) {
  const uint32_t four = (uint32_t)text[at] | (uint32_t)text[at + 1] << 8 | (uint32_t)text[at + 2] << 16 |
                        (uint32_t)text[at + 3] << 24;
  return (four * 0x9E3779B1u) >> 20;
}

static void remember(uint32_t at) {
  if (at + MATCH_MIN > TEXT_BYTES) return;
  const uint32_t hash = hash_at(at);
  older[at % WINDOW] = newest[hash];
  newest[hash] = at + 1;
}

static uint32_t length_of_match(uint32_t one, uint32_t other) {
  uint32_t length = 0;
  while (other + length < TEXT_BYTES && length < MATCH_MAX && text[one + length] == text[other + length]) length++;
  return length;
}

// The longest match for the text at `at`; gives its length, or 0, and its distance.
static uint32_t find(uint32_t at, uint32_t *distance) {
  uint32_t best = 0;
  if (at + MATCH_MIN > TEXT_BYTES) return 0;
  uint32_t candidate = newest[hash_at(at)];
  for (int tries = 0; tries < CHAIN_MAX && candidate != 0 && at - (candidate - 1) < WINDOW; tries++) {
    const uint32_t length = length_of_match(candidate - 1, at);
    if (length > best) {
      best = length;
      *distance = at - (candidate - 1);
    }
    candidate = older[(candidate - 1) % WINDOW];
  }
  return best < MATCH_MIN ? 0 : best;
}

// Groups of eight items behind a byte that says which of them are matches.
static uint32_t pack(void) {
  for (uint32_t i = 0; i < HASHES; i++) newest[i] = 0;
  uint32_t size = 0;
  for (uint32_t at = 0; at < TEXT_BYTES;) {
    const uint32_t flags = size++;
    packed[flags] = 0;
    for (uint32_t item = 0; item < 8 && at < TEXT_BYTES; item++) {
      uint32_t distance = 0;
      uint32_t length = find(at, &distance);
      if (length == 0) {
        packed[size++] = text[at];
        length = 1;
      } else {
        packed[flags] = (uint8_t)(packed[flags] | 1u << item);
        packed[size++] = (uint8_t)distance;
        packed[size++] = (uint8_t)(distance >> 8);
        packed[size++] = (uint8_t)length;
      }
      for (const uint32_t end = at + length; at < end; at++) remember(at);
    }
  }
  return size;
}

static uint32_t unpack(uint32_t size) {
  uint32_t length = 0;
  for (uint32_t at = 0; at < size;) {
    const uint32_t flags = packed[at++];
    for (uint32_t item = 0; item < 8 && at < size; item++) {
      if ((flags >> item & 1) == 0) {
        unpacked[length++] = packed[at++];
        continue;
      }
      const uint32_t distance = packed[at] | (uint32_t)packed[at + 1] << 8;
      for (uint32_t left = packed[at + 2]; left > 0; left--, length++) unpacked[length] = unpacked[length - distance];
      at += 3;
    }
  }
  return length;
}

uint32_t program_round(uint32_t round) {
  write_text(round + 1);
  const uint32_t size = pack();
  uint32_t digest = program_digest(size, unpack(size));
  for (uint32_t i = 0; i < TEXT_BYTES; i++) {
    if (text[i] != unpacked[i]) return 0;
  }
  for (uint32_t i = 0; i < size; i += 5) digest = program_digest(digest, packed[i]);
  return digest;
}
