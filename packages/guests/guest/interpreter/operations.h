// The instructions of the machine: a byte for the operation, then its operand, least significant byte first.
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include <stdint.h>

enum operand {
  OPERAND_NONE,
  OPERAND_NUMBER,   // 4 bytes
  OPERAND_LABEL,    // 2 bytes: where in the code
  OPERAND_VARIABLE, // 1 byte
  OPERAND_COUNT,    // 1 byte: how many words of the stack
};

// Operation, its name, what its operand is. Below, `a` lies under `b` on the stack, and a truth value is 0 or 1.
#define OPERATIONS(OPERATION)                          \
  OPERATION(PUSH, "push", OPERAND_NUMBER)              \
  OPERATION(LOAD, "load", OPERAND_VARIABLE)            \
  OPERATION(STORE, "store", OPERAND_VARIABLE)          \
  OPERATION(PICK, "pick", OPERAND_COUNT)   /* pushes again what lies under so many words */ \
  OPERATION(SLIDE, "slide", OPERAND_COUNT) /* takes away so many words from under the topmost one */ \
  OPERATION(DROP, "drop", OPERAND_NONE)                \
  OPERATION(ADD, "add", OPERAND_NONE)                  \
  OPERATION(SUBTRACT, "subtract", OPERAND_NONE)        \
  OPERATION(MULTIPLY, "multiply", OPERAND_NONE)        \
  OPERATION(DIVIDE, "divide", OPERAND_NONE)            \
  OPERATION(REMAINDER, "remainder", OPERAND_NONE)      \
  OPERATION(EXCLUSIVE_OR, "xor", OPERAND_NONE)         \
  OPERATION(SHIFT_LEFT, "shift_left", OPERAND_NONE)    \
  OPERATION(SHIFT_RIGHT, "shift_right", OPERAND_NONE)  \
  OPERATION(LESS, "less", OPERAND_NONE)    /* whether a < b */ \
  OPERATION(EQUAL, "equal", OPERAND_NONE)              \
  OPERATION(GET, "get", OPERAND_NONE)      /* the value of a key in the table; 0 where it is not there */ \
  OPERATION(PUT, "put", OPERAND_NONE)      /* key a gets the value b */ \
  OPERATION(JUMP, "jump", OPERAND_LABEL)               \
  OPERATION(JUMP_IF, "jump_if", OPERAND_LABEL)         \
  OPERATION(JUMP_UNLESS, "jump_unless", OPERAND_LABEL) \
  OPERATION(CALL, "call", OPERAND_LABEL)               \
  OPERATION(RETURN, "return", OPERAND_NONE)            \
  OPERATION(HALT, "halt", OPERAND_NONE)

#define OPERATION_CONSTANT(operation, name, operand) operation,
enum operation { OPERATIONS(OPERATION_CONSTANT) OPERATIONS_END };

struct operation_form {
  const char *name;
  enum operand operand;
};

extern const struct operation_form operation_forms[OPERATIONS_END];

uint32_t operand_bytes(enum operand operand);

#endif
