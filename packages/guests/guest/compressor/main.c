// Compresses the boot file to a gzip file in memory, and decompresses and compares every block as soon as it is written.
#include <stddef.h>
#include <stdint.h>

#include "bootFile.h"
#include "console.h"
#include "crc32.h"
#include "csr.h"
#include "deflate.h"
#include "exit.h"
#include "heap.h"
#include "inflate.h"
#include "memory.h"
#include "panic.h"
#include "timer.h"
#include "trap.h"
#include "uart.h"

#define TICK_MS 1
#define BLOCK_BYTES 16384u
#define EXIT_NO_FILE 2

#define GZIP_TRAILER_BYTES 8u

// Magic, method DEFLATE, no flags, no time, slowest algorithm, unknown system (RFC 1952).
static const uint8_t GZIP_HEADER[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255};

// Where the result lies, for those who look at the machine from outside.
struct {
  uint8_t *data;
  uint32_t bytes;
} compressed;

static volatile uint32_t ticks;

static struct context *count_tick(struct context *interrupted) {
  ticks = ticks + 1;
  return interrupted;
}

static const struct trap_handlers handlers = {.tick = count_tick, .user_exception = NULL};

static void print_size_and_crc(const char *what, uint32_t bytes, uint32_t crc) {
  print_padded(what, 12);
  print_decimal(bytes, 0);
  print(" bytes, CRC-32 ");
  print_hex(crc);
  print("\n");
}

static void print_block(uint32_t number, uint32_t blocks, uint32_t bytes, uint32_t compressed_bytes) {
  print("block ");
  print_decimal(number, 3);
  print(" of ");
  print_decimal(blocks, 0);
  print(": ");
  print_decimal(bytes, 5);
  print(" -> ");
  print_decimal(compressed_bytes, 5);
  print("\n");
}

static void put_word(struct bit_writer *writer, uint32_t word) {
  write_bits(writer, word & 0xFFFF, 16);
  write_bits(writer, word >> 16, 16);
}

static void check_block(const struct boot_file *file, uint32_t start, struct inflated *inflated, const char *problem) {
  if (problem == NULL && memcmp(file->data + start, inflated->data + start, inflated->room - start) != 0) {
    problem = "the block does not decompress to its text";
  }
  if (problem == NULL && inflated->bytes != inflated->room) problem = "the block is shorter than its text was";
  if (problem == NULL) return;
  panic_begin();
  print("compressor: block at ");
  print_decimal(start, 0);
  print(": ");
  print(problem);
  panic_end();
}

// Leaves the gzip file in `compressed`.
static void compress(const struct boot_file *file, uint32_t crc) {
  const uint32_t blocks = (file->bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
  compressed.data = heap_allocate(sizeof GZIP_HEADER + file->bytes + blocks * DEFLATE_STORED_EXTRA_BYTES + GZIP_TRAILER_BYTES);
  struct bit_writer writer = {.data = compressed.data, .bytes = sizeof GZIP_HEADER, .pending = 0, .pending_count = 0};
  struct bit_reader reader = {.data = compressed.data, .position = 8 * sizeof GZIP_HEADER};
  struct inflated inflated = {.data = heap_allocate(file->bytes), .bytes = 0, .room = 0};
  lz_token *const tokens = heap_allocate(BLOCK_BYTES * sizeof(lz_token));
  struct matcher matcher;

  memcpy(compressed.data, GZIP_HEADER, sizeof GZIP_HEADER);
  matcher_start(&matcher, file->data, file->bytes);
  deflate_initialise();
  for (uint32_t block = 0; block < blocks; block++) {
    const uint32_t start = block * BLOCK_BYTES;
    const uint32_t end = file->bytes - start < BLOCK_BYTES ? file->bytes : start + BLOCK_BYTES;
    const uint32_t written_before = writer.bytes;

    const uint32_t count = matcher_take(&matcher, start, end, tokens);
    deflate_block(&writer, file->data + start, end - start, tokens, count, end == file->bytes);
    write_bits_settle(&writer);

    inflated.room = end;
    check_block(file, start, &inflated, inflate_block(&reader, &inflated));
    print_block(block + 1, blocks, end - start, writer.bytes - written_before);
  }
  matcher_end(&matcher);
  heap_release(tokens);

  if (crc32_append(0, inflated.data, inflated.bytes) != crc) panic("compressor: the input has changed");
  heap_release(inflated.data);

  write_bits_align(&writer);
  put_word(&writer, crc);
  put_word(&writer, file->bytes);
  compressed.bytes = writer.bytes;
}

uint32_t main(void);

uint32_t main(void) {
  struct boot_file file;

  uart_initialise();
  crc32_initialise();
  trap_install(&handlers);
  timer_start(TICK_MS);
  csr_set(mstatus, MSTATUS_MIE);

  print("compressor: LZ77 and Huffman coding to a gzip file in memory\n");
  const char *const problem = boot_file_find(&file);
  if (problem != NULL) {
    print("compressor: ");
    print(problem);
    print("\n");
    return EXIT_NO_FILE;
  }
  const uint32_t input_crc = crc32_append(0, file.data, file.bytes);
  print_size_and_crc("input", file.bytes, input_crc);
  compress(&file, input_crc);
  const uint32_t compressed_crc = crc32_append(0, compressed.data, compressed.bytes);
  print_size_and_crc("compressed", compressed.bytes, compressed_crc);

  uint32_t checksum = crc32_append_word(0, file.bytes);
  checksum = crc32_append_word(checksum, input_crc);
  checksum = crc32_append_word(checksum, compressed.bytes);
  checksum = crc32_append_word(checksum, compressed_crc);
  print("compressor: ok ");
  print_hex(checksum);
  print("\n");
  return 0;
}
