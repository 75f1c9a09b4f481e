#include "bootFile.h"

#include <stddef.h>

#include "board.h"
#include "memory.h"

// As it lies in memory.
struct header {
  char magic[4];
  uint32_t bytes;
};

static const char MAGIC[4] = {'R', 'M', 'K', 'F'};

const char *boot_file_find(struct boot_file *file) {
  const struct header *const header = (const struct header *)BOOT_FILE_BASE;
  if (memcmp(header->magic, MAGIC, sizeof MAGIC) != 0) return "there is no boot file";
  if (header->bytes == 0) return "the boot file is empty";
  if (header->bytes > BOOT_FILE_MAX_BYTES) return "the boot file is too large";
  file->data = (const uint8_t *)(header + 1);
  file->bytes = header->bytes;
  return NULL;
}
