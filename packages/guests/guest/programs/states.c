// State machines: one that reads the tokens of a text, and one that executes operations of a made-up processor.
#include "program.h"

#define TEXT_BYTES 6000
#define CELLS 64
#define STEPS 40000

const char program_name[] = "states";
uint32_t program_rounds = 250;

enum state { START, WORD, NUMBER, FRACTION, EXPONENT, STRING, ESCAPE, SLASH, COMMENT, STAR, STATES };

static char text[TEXT_BYTES];

static void write_text(uint32_t seed) {
  static const char *const pieces[] = {"while ", "x1 ", "= ", "3.14", "12e5 ", "\"a \\\" b\" ", "/* no */", "/ ", "0 ", "// "};
  uint32_t length = 0;
  while (length + 12 < TEXT_BYTES) {
    for (const char *piece = pieces[program_random(&seed) % 10]; *piece != '\0';) text[length++] = *piece++;
    if (program_random(&seed) % 8 == 0) text[length++] = '\n';
  }
  text[length] = '\0';
}

static uint32_t read_tokens(uint32_t counts[STATES]) {
  enum state state = START;
  uint32_t tokens = 0;
  for (const char *at = text; *at != '\0'; at++) {
    const char c = *at;
    const int is_digit = c >= '0' && c <= '9';
    const int is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    enum state next = START;
    switch (state) {
      case START:
        next = is_letter ? WORD : is_digit ? NUMBER : c == '"' ? STRING : c == '/' ? SLASH : START;
        break;
      case WORD:
        next = is_letter || is_digit ? WORD : START;
        break;
      case NUMBER:
        next = is_digit ? NUMBER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : START;
        break;
      case FRACTION:
        next = is_digit ? FRACTION : c == 'e' ? EXPONENT : START;
        break;
      case EXPONENT:
        next = is_digit ? EXPONENT : START;
        break;
      case STRING:
        next = c == '"' ? START : c == '\\' ? ESCAPE : STRING;
        break;
      case ESCAPE:
        next = STRING;
        break;
      case SLASH:
        next = c == '*' ? COMMENT : START;
        break;
      case COMMENT:
        next = c == '*' ? STAR : COMMENT;
        break;
      case STAR:
        next = c == '/' ? START : c == '*' ? STAR : COMMENT;
        break;
      case STATES:
        break;
    }
    counts[next]++;
    if (next != state) tokens++;
    state = next;
  }
  return tokens;
}

static uint32_t execute(uint32_t seed) {
  uint32_t cells[CELLS];
  uint8_t operations[256];
  for (uint32_t i = 0; i < CELLS; i++) cells[i] = program_random(&seed);
  for (uint32_t i = 0; i < 256; i++) operations[i] = (uint8_t)(program_random(&seed) % 12);
  uint32_t accumulator = seed;
  uint32_t at = 0;
  for (uint32_t step = 0; step < STEPS; step++) {
    uint32_t *const cell = &cells[accumulator % CELLS];
    switch (operations[at]) {
      case 0:
        accumulator += *cell;
        break;
      case 1:
        accumulator ^= *cell;
        break;
      case 2:
        *cell = accumulator;
        accumulator = accumulator << 1 | accumulator >> 31;
        break;
      case 3:
        accumulator = *cell - accumulator;
        break;
      case 4:
        if ((accumulator & 1) != 0) at = (at + 5) & 255;
        accumulator >>= 1;
        break;
      case 5:
        accumulator = accumulator * 5 + 1;
        break;
      case 6:
        at = accumulator & 255;
        accumulator += 0x9E3779B9u;
        break;
      case 7:
        *cell += step;
        break;
      case 8:
        accumulator |= *cell & 0xFF;
        break;
      case 9:
        accumulator &= *cell | 0xFFFF;
        break;
      case 10:
        *cell = ~*cell;
        accumulator++;
        break;
      default:
        accumulator -= at;
    }
    at = (at + 1) & 255;
  }
  for (uint32_t i = 0; i < CELLS; i++) accumulator = program_digest(accumulator, cells[i]);
  return accumulator;
}

uint32_t program_round(uint32_t round) {
  uint32_t counts[STATES] = {0};
  write_text(round + 31);
  uint32_t digest = 0;
  for (int i = 0; i < 5; i++) digest = program_digest(digest, read_tokens(counts));
  for (uint32_t i = 0; i < STATES; i++) digest = program_digest(digest, counts[i]);
  return program_digest(digest, execute(round + 1));
}
