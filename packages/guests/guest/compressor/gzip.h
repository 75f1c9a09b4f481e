// A file compressed to gzip (RFC 1952), block by block; each block is decompressed and compared as soon as it is
// written.
#ifndef GZIP_H
#define GZIP_H

#include <stdint.h>

#include "bootFile.h"

struct gzip_file {
  uint8_t *data;
  uint32_t bytes;
};

// Blocks into which a file is divided.
uint32_t gzip_blocks(const struct boot_file *file);

// `crc`: of the file. Prints a line for each block. Panics where anything that was compressed does not decompress to
// what it was made from.
void gzip_compress(const struct boot_file *file, uint32_t crc, struct gzip_file *compressed);

#endif
