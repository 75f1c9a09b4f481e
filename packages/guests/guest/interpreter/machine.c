#include "machine.h"

#include <stddef.h>

#include "memory.h"
#include "operations.h"
#include "panic.h"

#define TAKEN_MAX 2u // words that an operation takes at most, `slide` excepted; none adds more than one

static const char division_by_zero[] = "interpreter: division by zero";

void machine_make(struct machine *machine) {
  memset(machine->variables, 0, sizeof machine->variables);
  machine->executed = 0;
  table_make(&machine->table);
}

void machine_release(struct machine *machine) {
  table_release(&machine->table);
}

static inline uint32_t fetch_label(const uint8_t *code) {
  return code[0] | (uint32_t)code[1] << 8;
}

static inline uint32_t fetch_number(const uint8_t *code) {
  return fetch_label(code) | fetch_label(code + 2) << 16;
}

// The stack begins with as many words that do not count as an operation takes: so one check is enough for all.
void machine_run(struct machine *machine, const struct program *program) {
  uint32_t *const bottom = machine->stack + TAKEN_MAX;
  uint32_t *const limit = machine->stack + STACK_WORDS - 1;
  uint32_t *top = bottom - 1; // the topmost word
  uint32_t calls = 0;
  const uint8_t *const code = program->code;
  for (uint32_t pc = 0;;) {
    if (pc >= program->bytes) panic("interpreter: a program runs off its end");
    const enum operation operation = (enum operation)code[pc++];
    machine->executed++;
    switch (operation) {
      case PUSH:
        *++top = fetch_number(code + pc);
        pc += 4;
        break;
      case LOAD:
        *++top = machine->variables[code[pc++]];
        break;
      case STORE:
        machine->variables[code[pc++]] = *top--;
        break;
      case PICK: {
        const uint32_t depth = code[pc++];
        if (top - bottom < (int32_t)depth) panic("interpreter: nothing lies so deep in the stack");
        const uint32_t word = top[-(int32_t)depth];
        *++top = word;
        break;
      }
      case SLIDE: {
        const uint32_t count = code[pc++];
        const uint32_t word = *top;
        top -= count;
        if (top >= bottom) *top = word;
        break;
      }
      case DROP:
        top--;
        break;
      case ADD:
        top--;
        top[0] += top[1];
        break;
      case SUBTRACT:
        top--;
        top[0] -= top[1];
        break;
      case MULTIPLY:
        top--;
        top[0] *= top[1];
        break;
      case DIVIDE:
        top--;
        if (top[1] == 0) panic(division_by_zero);
        top[0] /= top[1];
        break;
      case REMAINDER:
        top--;
        if (top[1] == 0) panic(division_by_zero);
        top[0] %= top[1];
        break;
      case EXCLUSIVE_OR:
        top--;
        top[0] ^= top[1];
        break;
      case SHIFT_LEFT:
        top--;
        top[0] <<= top[1] & 31;
        break;
      case SHIFT_RIGHT:
        top--;
        top[0] >>= top[1] & 31;
        break;
      case LESS:
        top--;
        top[0] = top[0] < top[1];
        break;
      case EQUAL:
        top--;
        top[0] = top[0] == top[1];
        break;
      case GET: {
        const uint32_t *const value = table_get(&machine->table, *top);
        *top = value == NULL ? 0 : *value;
        break;
      }
      case PUT:
        top -= 2;
        table_put(&machine->table, top[1], top[2]);
        break;
      case JUMP:
        pc = fetch_label(code + pc);
        break;
      case JUMP_IF:
        pc = *top-- != 0 ? fetch_label(code + pc) : pc + 2;
        break;
      case JUMP_UNLESS:
        pc = *top-- == 0 ? fetch_label(code + pc) : pc + 2;
        break;
      case CALL:
        if (calls == CALLS_MAX) panic("interpreter: too many calls");
        machine->calls[calls++] = pc + 2;
        pc = fetch_label(code + pc);
        break;
      case RETURN:
        if (calls == 0) panic("interpreter: a return without a call");
        pc = machine->calls[--calls];
        break;
      case HALT:
        if (top != bottom - 1 || calls != 0) panic("interpreter: a program ends with something left");
        return;
      default:
        panic("interpreter: unknown operation");
    }
    if (top < bottom - 1) panic("interpreter: the stack is empty");
    if (top >= limit) panic("interpreter: the stack is full");
  }
}
