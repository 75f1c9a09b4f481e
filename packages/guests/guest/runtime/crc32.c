#include "crc32.h"

#define POLYNOMIAL 0xEDB88320u // reflected

static uint32_t table[256];

void crc32_initialise(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
    table[byte] = crc;
  }
}

uint32_t crc32_append(uint32_t crc, const void *data, uint32_t bytes) {
  const uint8_t *const start = data;
  crc = ~crc;
  for (uint32_t i = 0; i < bytes; i++) crc = crc >> 8 ^ table[(crc ^ start[i]) & 0xFF];
  return ~crc;
}

uint32_t crc32_append_word(uint32_t crc, uint32_t word) {
  crc = ~crc;
  for (int byte = 0; byte < 4; byte++, word >>= 8) crc = crc >> 8 ^ table[(crc ^ word) & 0xFF];
  return ~crc;
}
