#include "gzip.h"

#include <stddef.h>

#include "bitWriter.h"
#include "codes.h"
#include "console.h"
#include "crc32.h"
#include "deflate.h"
#include "heap.h"
#include "inflate.h"
#include "matches.h"
#include "memory.h"
#include "panic.h"
#include "parse.h"

#define BLOCK_BYTES 16384u
#define BLOCK_EXTRA_BYTES 6u // the most that a block can be longer than its text
#define TRAILER_BYTES 8u
#define PARSES 2u // of each block: the first with guessed prices, the others with those of the one before

// Magic, method DEFLATE, no flags, no time, slowest algorithm, unknown system.
static const uint8_t header[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255};

// What is needed beside the file itself and the two results.
struct work {
  struct matcher matcher;
  struct matches matches;
  struct parse parse;
  struct prices prices;
  struct codes codes;
  lz_token *tokens;
};

static struct work work;

static void work_start(const struct boot_file *file) {
  matcher_start(&work.matcher, file->data, file->bytes);
  matches_allocate(&work.matches, BLOCK_BYTES);
  parse_allocate(&work.parse, BLOCK_BYTES);
  work.tokens = heap_allocate(BLOCK_BYTES * sizeof(lz_token));
}

static void work_end(void) {
  heap_release(work.tokens);
  parse_release(&work.parse);
  matches_release(&work.matches);
  matcher_end(&work.matcher);
}

static void compress_block(const struct boot_file *file, uint32_t start, uint32_t end, struct bit_writer *writer) {
  const uint8_t *const text = file->data + start;
  uint32_t count = 0;
  matches_find(&work.matcher, start, end, &work.matches);
  prices_guess(&work.prices);
  for (uint32_t parse = 1; parse <= PARSES; parse++) {
    count = parse_block(&work.parse, text, end - start, &work.matches, &work.prices, work.tokens);
    codes_make(&work.codes, work.tokens, count);
    prices_of(&work.prices, &work.codes);
  }
  deflate_block(writer, text, end - start, &work.codes, work.tokens, count, end == file->bytes);
  write_bits_settle(writer);
}

static void check_block(const struct boot_file *file, uint32_t start, uint32_t end, struct bit_reader *reader,
                        struct inflated *inflated) {
  inflated->room = end;
  const char *problem = inflate_block(reader, inflated);
  if (problem == NULL && inflated->bytes != end) problem = "the block is shorter than its text was";
  if (problem == NULL && memcmp(file->data + start, inflated->data + start, end - start) != 0) {
    problem = "the block does not decompress to its text";
  }
  if (problem == NULL) return;
  panic_begin();
  print("compressor: block at ");
  print_decimal(start, 0);
  print(": ");
  print(problem);
  panic_end();
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

static void write_word(struct bit_writer *writer, uint32_t word) {
  write_bits(writer, word & 0xFFFF, 16);
  write_bits(writer, word >> 16, 16);
}

uint32_t gzip_blocks(const struct boot_file *file) {
  return (file->bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

void gzip_compress(const struct boot_file *file, uint32_t crc, struct gzip_file *compressed) {
  const uint32_t blocks = gzip_blocks(file);
  compressed->data = heap_allocate(sizeof header + file->bytes + blocks * BLOCK_EXTRA_BYTES + TRAILER_BYTES);
  struct bit_writer writer = {.data = compressed->data, .bytes = sizeof header, .pending = 0, .pending_count = 0};
  struct bit_reader reader = {.data = compressed->data, .position = 8 * sizeof header};
  struct inflated inflated = {.data = heap_allocate(file->bytes), .bytes = 0, .room = 0};

  memcpy(compressed->data, header, sizeof header);
  deflate_format_initialise();
  work_start(file);
  for (uint32_t block = 0; block < blocks; block++) {
    const uint32_t start = block * BLOCK_BYTES;
    const uint32_t end = file->bytes - start < BLOCK_BYTES ? file->bytes : start + BLOCK_BYTES;
    const uint32_t written_before = writer.bytes;
    compress_block(file, start, end, &writer);
    check_block(file, start, end, &reader, &inflated);
    print_block(block + 1, blocks, end - start, writer.bytes - written_before);
  }
  work_end();

  if (crc32_append(0, inflated.data, inflated.bytes) != crc) panic("compressor: the file has changed since it was read");
  heap_release(inflated.data);

  write_bits_align(&writer);
  write_word(&writer, crc);
  write_word(&writer, file->bytes);
  compressed->bytes = writer.bytes;
}
