// Parsing: writes a text of nested records, and reads it by recursive descent with expressions in it.
#include "program.h"

#define TEXT_BYTES 20000
#define DEPTH_MAX 6

const char program_name[] = "parsing";
uint32_t program_rounds = 160;

static char text[TEXT_BYTES];
static uint32_t length;
static const char *at;

static void put(char character) {
  if (length < TEXT_BYTES - 1) text[length++] = character;
}

static void put_text(const char *characters) {
  while (*characters != '\0') put(*characters++);
}

static void put_number(uint32_t number) {
  char digits[10];
  uint32_t count = 0;
  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  while (count > 0) put(digits[--count]);
}

static void write_expression(uint32_t *seed, uint32_t depth) {
  if (depth == 0 || program_random(seed) % 4 == 0) {
    put_number(program_random(seed) % 100000);
    return;
  }
  const int is_nested = program_random(seed) % 3 == 0;
  if (is_nested) put('(');
  write_expression(seed, depth - 1);
  put(' ');
  put("+-*&|^"[program_random(seed) % 6]);
  put(' ');
  write_expression(seed, depth - 1);
  if (is_nested) put(')');
}

static void write_value(uint32_t *seed, uint32_t depth) {
  const uint32_t kind = depth == 0 ? 2 : program_random(seed) % 4;
  const uint32_t members = 2 + program_random(seed) % 4;
  switch (kind) {
    case 0:
      put('{');
      for (uint32_t i = 0; i < members; i++) {
        if (i > 0) put_text(", ");
        put('"');
        put_text(i % 2 == 0 ? "name" : "x");
        put_number(program_random(seed) % 50);
        put_text("\": ");
        write_value(seed, depth - 1);
      }
      put('}');
      return;
    case 1:
      put('[');
      for (uint32_t i = 0; i < members; i++) {
        if (i > 0) put_text(",\n ");
        write_value(seed, depth - 1);
      }
      put(']');
      return;
    default:
      write_expression(seed, 3);
  }
}

static void skip_blanks(void) {
  while (*at == ' ' || *at == '\n' || *at == '\t') at++;
}

static int takes(char character) {
  skip_blanks();
  if (*at != character) return 0;
  at++;
  return 1;
}

static uint32_t read_expression(uint32_t least);

static uint32_t read_operand(void) {
  skip_blanks();
  if (takes('(')) {
    const uint32_t value = read_expression(0);
    takes(')');
    return value;
  }
  uint32_t value = 0;
  while (*at >= '0' && *at <= '9') value = value * 10 + (uint32_t)(*at++ - '0');
  return value;
}

static uint32_t precedence(char operator) {
  switch (operator) {
    case '|':
      return 1;
    case '^':
      return 2;
    case '&':
      return 3;
    case '+':
    case '-':
      return 4;
    case '*':
      return 5;
    default:
      return 0;
  }
}

static uint32_t apply(char operator, uint32_t left, uint32_t right) {
  switch (operator) {
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '&':
      return left & right;
    case '+':
      return left + right;
    case '-':
      return left - right;
    default:
      return left * right;
  }
}

static uint32_t read_expression(uint32_t least) {
  uint32_t left = read_operand();
  for (;;) {
    skip_blanks();
    const char operator = *at;
    const uint32_t binds = precedence(operator);
    if (binds <= least) return left;
    at++;
    left = apply(operator, left, read_expression(binds));
  }
}

static uint32_t read_name(void) {
  uint32_t hash = 5381;
  takes('"');
  while (*at != '"' && *at != '\0') hash = hash * 33 + (uint8_t)*at++;
  takes('"');
  return hash;
}

static uint32_t read_value(void) {
  uint32_t digest = 1;
  if (takes('{')) {
    do {
      digest = program_digest(digest, read_name());
      takes(':');
      digest = program_digest(digest, read_value());
    } while (takes(','));
    takes('}');
    return digest;
  }
  if (takes('[')) {
    do digest = program_digest(digest, read_value());
    while (takes(','));
    takes(']');
    return digest;
  }
  return read_expression(0);
}

uint32_t program_round(uint32_t round) {
  uint32_t seed = 11 * round + 3;
  length = 0;
  put('[');
  while (length < TEXT_BYTES - 4000) {
    if (length > 1) put(',');
    write_value(&seed, DEPTH_MAX - 1);
  }
  put(']');
  text[length] = '\0';
  uint32_t digest = length;
  for (uint32_t i = 0; i < 3; i++) {
    at = text;
    digest = program_digest(digest, read_value());
  }
  return digest;
}
