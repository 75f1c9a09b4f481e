// CRC-32 as in gzip, PNG and Ethernet. Runs in either mode.
#ifndef CRC32_H
#define CRC32_H

#include <stdint.h>

// Must have been called once before the others.
void crc32_initialise(void);

// The CRC of some data, given the CRC of what stood before it (0 for nothing).
uint32_t crc32_append(uint32_t crc, const void *data, uint32_t bytes);

// The same for one word, least significant byte first.
uint32_t crc32_append_word(uint32_t crc, uint32_t word);

#endif
