// From the text of a program to its code.
//
// Words stand between blanks: operations with their operands, and labels, which end with a colon. What stands between
// `;` and the end of a line is a comment. Variables need not be declared.
#ifndef ASSEMBLER_H
#define ASSEMBLER_H

#include <stdint.h>

#include "symbols.h"

#define CODE_BYTES_MAX 1024u
#define VARIABLES_MAX 16u

struct program {
  uint8_t code[CODE_BYTES_MAX];
  uint32_t bytes;
  struct symbols variables;
};

// Panics where the text is not a program.
void program_assemble(struct program *program, const char *text);
void program_release(struct program *program);

// The number of a variable. Panics where the program has none of this name.
uint32_t program_variable(struct program *program, const char *name);

#endif
