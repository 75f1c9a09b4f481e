#include "operations.h"

#define OPERATION_FORM(operation, name, operand) [operation] = {name, operand},
const struct operation_form operation_forms[OPERATIONS_END] = {OPERATIONS(OPERATION_FORM)};

uint32_t operand_bytes(enum operand operand) {
  switch (operand) {
    case OPERAND_NUMBER:
      return 4;
    case OPERAND_LABEL:
      return 2;
    case OPERAND_VARIABLE:
    case OPERAND_COUNT:
      return 1;
    default:
      return 0;
  }
}
