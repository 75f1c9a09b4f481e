#include "inflate.h"

#include <stddef.h>

#include "deflateFormat.h"
#include "memory.h"

#define BAD_SYMBOL UINT32_MAX

// A canonical code, for decoding bit by bit: how many words there are of each length, and the symbols in the words'
// order.
struct decoder {
  uint16_t count[CODE_BITS_MAX + 1];
  uint16_t symbols[LITERAL_SYMBOLS];
};

static struct decoder literal_decoder;
static struct decoder distance_decoder;
static struct decoder measure_decoder;

static void make_decoder(struct decoder *decoder, const uint8_t *lengths, uint32_t symbols) {
  uint16_t next[CODE_BITS_MAX + 1];
  memset(decoder->count, 0, sizeof decoder->count);
  for (uint32_t symbol = 0; symbol < symbols; symbol++) decoder->count[lengths[symbol]]++;
  decoder->count[0] = 0;
  next[0] = 0;
  for (uint32_t bits = 1; bits <= CODE_BITS_MAX; bits++) {
    next[bits] = (uint16_t)(next[bits - 1] + decoder->count[bits - 1]);
  }
  for (uint32_t symbol = 0; symbol < symbols; symbol++) {
    if (lengths[symbol] != 0) decoder->symbols[next[lengths[symbol]]++] = (uint16_t)symbol;
  }
}

static uint32_t read_symbol(struct bit_reader *reader, const struct decoder *decoder) {
  uint32_t word = 0;
  uint32_t first = 0; // word of this length
  uint32_t index = 0; // of its symbol
  for (uint32_t bits = 1; bits <= CODE_BITS_MAX; bits++) {
    word |= read_bit(reader);
    const uint32_t count = decoder->count[bits];
    if (word - first < count) return decoder->symbols[index + word - first];
    index += count;
    first = (first + count) << 1;
    word <<= 1;
  }
  return BAD_SYMBOL;
}

static const char *read_codes(struct bit_reader *reader) {
  uint8_t lengths[LITERAL_SYMBOLS + DISTANCE_SYMBOLS] = {0};
  const uint32_t literals = LITERALS_MIN + read_bits(reader, LITERALS_BITS);
  const uint32_t distances = DISTANCES_MIN + read_bits(reader, DISTANCES_BITS);
  const uint32_t measures = MEASURES_MIN + read_bits(reader, MEASURES_BITS);
  if (literals > LITERAL_SYMBOLS || distances > DISTANCE_SYMBOLS) return "the block has too many symbols";

  for (uint32_t i = 0; i < measures; i++) lengths[measure_order[i]] = (uint8_t)read_bits(reader, MEASURE_LENGTH_BITS);
  make_decoder(&measure_decoder, lengths, MEASURE_SYMBOLS);

  const uint32_t all = literals + distances;
  for (uint32_t i = 0; i < all;) {
    const uint32_t symbol = read_symbol(reader, &measure_decoder);
    uint32_t length = symbol;
    uint32_t times = 1;
    if (symbol == BAD_SYMBOL) return "the block has an unknown code word";
    if (symbol >= REPEAT_PREVIOUS) {
      if (symbol == REPEAT_PREVIOUS && i == 0) return "the block repeats a length before the first";
      length = symbol == REPEAT_PREVIOUS ? lengths[i - 1] : 0;
      const struct repeat repeat = repeats[symbol - REPEAT_PREVIOUS];
      times = repeat.least + read_bits(reader, repeat.extra_bits);
    }
    if (times > all - i) return "the block has too many lengths";
    for (; times > 0; times--) lengths[i++] = (uint8_t)length;
  }
  make_decoder(&literal_decoder, lengths, literals);
  make_decoder(&distance_decoder, lengths + literals, distances);
  return NULL;
}

static const char *inflate_dynamic(struct bit_reader *reader, struct inflated *output) {
  const char *const problem = read_codes(reader);
  if (problem != NULL) return problem;
  for (;;) {
    const uint32_t symbol = read_symbol(reader, &literal_decoder);
    if (symbol == END_OF_BLOCK) return NULL;
    if (symbol < LITERALS) {
      if (output->bytes == output->room) return "the block is longer than its text was";
      output->data[output->bytes++] = (uint8_t)symbol;
      continue;
    }
    if (symbol == BAD_SYMBOL) return "the block has an unknown code word";
    const struct range lengths = length_ranges[symbol - FIRST_LENGTH_SYMBOL];
    const uint32_t length = lengths.base + read_bits(reader, lengths.extra_bits);
    const uint32_t distance_symbol = read_symbol(reader, &distance_decoder);
    if (distance_symbol == BAD_SYMBOL) return "the block has an unknown code word";
    const struct range distances = distance_ranges[distance_symbol];
    const uint32_t distance = distances.base + read_bits(reader, distances.extra_bits);
    if (distance > output->bytes) return "a match reaches back beyond the start of the text";
    if (length > output->room - output->bytes) return "the block is longer than its text was";
    uint8_t *const target = output->data + output->bytes;
    for (uint32_t i = 0; i < length; i++) target[i] = target[(int32_t)(i - distance)];
    output->bytes += length;
  }
}

static const char *inflate_stored(struct bit_reader *reader, struct inflated *output) {
  read_bits_align(reader);
  const uint32_t bytes = read_bits(reader, STORED_LENGTH_BITS);
  const uint32_t complement = read_bits(reader, STORED_LENGTH_BITS);
  if ((bytes ^ complement) != STORED_LENGTH_MASK) return "the length of a stored block is damaged";
  if (bytes > output->room - output->bytes) return "the block is longer than its text was";
  memcpy(output->data + output->bytes, reader->data + reader->position / 8, bytes);
  reader->position += 8 * bytes;
  output->bytes += bytes;
  return NULL;
}

const char *inflate_block(struct bit_reader *reader, struct inflated *output) {
  read_bits(reader, BLOCK_LAST_BITS); // whether it is the last one is of no interest here
  switch (read_bits(reader, BLOCK_KIND_BITS)) {
    case BLOCK_DYNAMIC:
      return inflate_dynamic(reader, output);
    case BLOCK_STORED:
      return inflate_stored(reader, output);
    default:
      return "the block is of an unknown kind";
  }
}
