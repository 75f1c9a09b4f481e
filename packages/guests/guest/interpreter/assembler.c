#include "assembler.h"

#include <stddef.h>

#include "console.h"
#include "operations.h"
#include "panic.h"

struct assembler {
  struct program *program;
  const char *text; // what is left of it
  struct symbols operations;
  struct symbols labels;
  int labels_known; // in the second pass
};

_Noreturn static void panic_of(struct word word, const char *reason) {
  panic_begin();
  print("interpreter: ");
  for (uint32_t i = 0; i < word.bytes; i++) print((const char[]){word.text[i], '\0'});
  print(": ");
  print(reason);
  panic_end();
}

static int is_blank(char character) {
  return character == ' ' || character == '\n';
}

// Of no bytes at the end of the text.
static struct word next_word(struct assembler *assembler) {
  const char *text = assembler->text;
  while (is_blank(*text) || *text == ';') {
    if (*text++ != ';') continue;
    while (*text != '\n' && *text != '\0') text++;
  }
  const char *const start = text;
  while (*text != '\0' && !is_blank(*text)) text++;
  assembler->text = text;
  return (struct word){start, (uint32_t)(text - start)};
}

static void append(struct program *program, uint32_t value, uint32_t bytes) {
  if (program->bytes + bytes > CODE_BYTES_MAX) panic("interpreter: a program is too long");
  for (; bytes > 0; bytes--, value >>= 8) program->code[program->bytes++] = (uint8_t)value;
}

static uint32_t number(struct word word) {
  uint32_t value = 0;
  if (word.bytes == 0) panic_of(word, "a number is missing");
  for (uint32_t i = 0; i < word.bytes; i++) {
    const uint32_t digit = (uint32_t)(word.text[i] - '0');
    if (digit > 9) panic_of(word, "not a number");
    value = 10 * value + digit;
  }
  return value;
}

static uint32_t variable(struct program *program, struct word name) {
  const uint32_t *const known = symbols_find(&program->variables, name);
  if (known != NULL) return *known;
  if (program->variables.count == VARIABLES_MAX) panic_of(name, "a variable too many");
  symbols_add(&program->variables, name, program->variables.count);
  return program->variables.count - 1;
}

// In the first pass labels may stand further below.
static uint32_t label(struct assembler *assembler, struct word name) {
  const uint32_t *const address = symbols_find(&assembler->labels, name);
  if (address == NULL && assembler->labels_known) panic_of(name, "unknown label");
  return address == NULL ? 0 : *address;
}

static uint32_t operand_value(struct assembler *assembler, enum operand operand) {
  switch (operand) {
    case OPERAND_NUMBER:
    case OPERAND_COUNT:
      return number(next_word(assembler));
    case OPERAND_LABEL:
      return label(assembler, next_word(assembler));
    case OPERAND_VARIABLE:
      return variable(assembler->program, next_word(assembler));
    default:
      return 0;
  }
}

static void define_label(struct assembler *assembler, struct word name) {
  if (assembler->labels_known) return;
  if (symbols_find(&assembler->labels, name) != NULL) panic_of(name, "this label stands there twice");
  symbols_add(&assembler->labels, name, assembler->program->bytes);
}

static void pass(struct assembler *assembler, const char *text) {
  assembler->text = text;
  assembler->program->bytes = 0;
  for (struct word word = next_word(assembler); word.bytes > 0; word = next_word(assembler)) {
    if (word.text[word.bytes - 1] == ':') {
      define_label(assembler, (struct word){word.text, word.bytes - 1});
      continue;
    }
    const uint32_t *const operation = symbols_find(&assembler->operations, word);
    if (operation == NULL) panic_of(word, "unknown operation");
    const enum operand operand = operation_forms[*operation].operand;
    append(assembler->program, *operation, 1);
    append(assembler->program, operand_value(assembler, operand), operand_bytes(operand));
  }
}

void program_assemble(struct program *program, const char *text) {
  struct assembler assembler = {.program = program, .labels_known = 0};
  symbols_make(&program->variables);
  symbols_make(&assembler.operations);
  symbols_make(&assembler.labels);
  for (uint32_t i = 0; i < OPERATIONS_END; i++) symbols_add(&assembler.operations, word_of(operation_forms[i].name), i);
  pass(&assembler, text);
  assembler.labels_known = 1;
  pass(&assembler, text);
  symbols_release(&assembler.labels);
  symbols_release(&assembler.operations);
}

void program_release(struct program *program) {
  symbols_release(&program->variables);
}

uint32_t program_variable(struct program *program, const char *name) {
  const uint32_t *const found = symbols_find(&program->variables, word_of(name));
  if (found == NULL) panic_of(word_of(name), "the program has no such variable");
  return *found;
}
