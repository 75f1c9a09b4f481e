// Compresses the boot file to a gzip file in memory.
#include <stddef.h>
#include <stdint.h>

#include "bootFile.h"
#include "console.h"
#include "crc32.h"
#include "csr.h"
#include "gzip.h"
#include "heap.h"
#include "panic.h"
#include "timer.h"
#include "trap.h"
#include "uart.h"

#define TICK_MS 1
#define EXIT_NO_FILE 2
#define NAME_COLUMNS 12

// A small file is compressed again and again, so that it too keeps the machine busy for a second or more.
#define WORK_BYTES 500000u
#define BLOCK_WORK_BYTES 1600u // what a block costs beside its text, in bytes of text

// Where the result lies, for those who look at the machine from outside.
struct gzip_file compressed;

// Nothing here waits for the time. The tick is a sign of life for the hypervisor.
static struct context *tick(struct context *interrupted) {
  return interrupted;
}

static const struct trap_handlers handlers = {.tick = tick, .user_exception = NULL};

static void print_size_and_crc(const char *what, uint32_t bytes, uint32_t crc) {
  print_padded(what, NAME_COLUMNS);
  print_decimal(bytes, 0);
  print(" bytes, CRC-32 ");
  print_hex(crc);
  print("\n");
}

static uint32_t passes_over(const struct boot_file *file) {
  const uint32_t pass = file->bytes + gzip_blocks(file) * BLOCK_WORK_BYTES;
  return (WORK_BYTES + pass - 1) / pass;
}

// Gives the CRC of the compressed file, which must come out the same each time.
static uint32_t compress_in_passes(const struct boot_file *file, uint32_t file_crc) {
  const uint32_t passes = passes_over(file);
  uint32_t compressed_crc = 0;
  for (uint32_t pass = 1; pass <= passes; pass++) {
    print("pass ");
    print_decimal(pass, 0);
    print(" of ");
    print_decimal(passes, 0);
    print("\n");
    if (pass > 1) heap_release(compressed.data);
    gzip_compress(file, file_crc, &compressed);
    const uint32_t crc = crc32_append(0, compressed.data, compressed.bytes);
    if (pass > 1 && crc != compressed_crc) panic("compressor: two passes over the same file differ");
    compressed_crc = crc;
  }
  return compressed_crc;
}

// Called by start.S, which switches the machine off with the code returned.
uint32_t main(void);

uint32_t main(void) {
  uart_initialise();
  crc32_initialise();
  trap_install(&handlers);
  timer_start(TICK_MS);
  csr_set(mstatus, MSTATUS_MIE);

  print("compressor: LZ77 and Huffman coding to a gzip file in memory\n");
  struct boot_file file;
  const char *const problem = boot_file_find(&file);
  if (problem != NULL) {
    print("compressor: ");
    print(problem);
    print("\n");
    return EXIT_NO_FILE;
  }
  const uint32_t file_crc = crc32_append(0, file.data, file.bytes);
  print_size_and_crc("input", file.bytes, file_crc);
  const uint32_t compressed_crc = compress_in_passes(&file, file_crc);
  print_size_and_crc("compressed", compressed.bytes, compressed_crc);

  uint32_t checksum = crc32_append_word(0, file.bytes);
  checksum = crc32_append_word(checksum, file_crc);
  checksum = crc32_append_word(checksum, compressed.bytes);
  checksum = crc32_append_word(checksum, compressed_crc);
  print("compressor: ok ");
  print_hex(checksum);
  print("\n");
  return 0;
}
