// The file that the host put into memory before boot.
#ifndef BOOT_FILE_H
#define BOOT_FILE_H

#include <stdint.h>

struct boot_file {
  const uint8_t *data;
  uint32_t bytes;
};

// Says what is wrong where there is no valid file, NULL where there is one.
const char *boot_file_find(struct boot_file *file);

#endif
