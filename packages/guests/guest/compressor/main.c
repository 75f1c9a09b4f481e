// Compresses the boot file to a gzip file in memory.
#include <stddef.h>
#include <stdint.h>

#include "bootFile.h"
#include "console.h"
#include "crc32.h"
#include "csr.h"
#include "gzip.h"
#include "timer.h"
#include "trap.h"
#include "uart.h"

#define TICK_MS 1
#define EXIT_NO_FILE 2
#define NAME_COLUMNS 12

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
  gzip_compress(&file, file_crc, &compressed);
  const uint32_t compressed_crc = crc32_append(0, compressed.data, compressed.bytes);
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
