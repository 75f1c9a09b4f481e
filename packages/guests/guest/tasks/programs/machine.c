// An interpreter of a small stack machine. Its program sums the lengths of Collatz sequences; the same is computed
// directly and compared.
#include "crc32.h"
#include "programs.h"
#include "random.h"
#include "systemCalls.h"

#define STACK_WORDS 16u
#define VARIABLES 4u
#define STARTS 40u // Collatz sequences a round
#define START_MAX 100000u

enum operation { PUSH, LOAD, STORE, ADD, MULTIPLY, HALVE, IS_ODD, IS_LESS, JUMP, JUMP_IF_ZERO, HALT };
enum variable { NUMBER, START, END, STEPS };

struct instruction {
  enum operation operation;
  uint32_t operand;
};

struct memory {
  uint32_t stack[STACK_WORDS];
  uint32_t variables[VARIABLES];
};

// Labels of the program below.
enum { NEXT_START = 0, STEP = 6, EVEN = 23, SEQUENCE_ENDED = 31, ENDED = 36 };

static const struct instruction collatz[] = {
    // NEXT_START: while start < end
    {LOAD, START}, {LOAD, END}, {IS_LESS, 0}, {JUMP_IF_ZERO, ENDED},
    // number = start
    {LOAD, START}, {STORE, NUMBER},
    // STEP: while 1 < number
    {PUSH, 1}, {LOAD, NUMBER}, {IS_LESS, 0}, {JUMP_IF_ZERO, SEQUENCE_ENDED},
    {LOAD, NUMBER}, {IS_ODD, 0}, {JUMP_IF_ZERO, EVEN},
    // it is odd: number = number * 3 + 1, steps = steps + 1; that is even
    {LOAD, NUMBER}, {PUSH, 3}, {MULTIPLY, 0}, {PUSH, 1}, {ADD, 0}, {STORE, NUMBER},
    {LOAD, STEPS}, {PUSH, 1}, {ADD, 0}, {STORE, STEPS},
    // EVEN: number = number / 2
    {LOAD, NUMBER}, {HALVE, 0}, {STORE, NUMBER},
    // steps = steps + 1
    {LOAD, STEPS}, {PUSH, 1}, {ADD, 0}, {STORE, STEPS}, {JUMP, STEP},
    // SEQUENCE_ENDED: start = start + 1
    {LOAD, START}, {PUSH, 1}, {ADD, 0}, {STORE, START}, {JUMP, NEXT_START},
    // ENDED
    {HALT, 0},
};

static void interpret(struct memory *memory, const struct instruction *program) {
  uint32_t *const stack = memory->stack;
  uint32_t depth = 0;
  for (uint32_t pc = 0;;) {
    const struct instruction instruction = program[pc++];
    switch (instruction.operation) {
      case PUSH:
        stack[depth++] = instruction.operand;
        break;
      case LOAD:
        stack[depth++] = memory->variables[instruction.operand];
        break;
      case STORE:
        memory->variables[instruction.operand] = stack[--depth];
        break;
      case ADD:
        depth--;
        stack[depth - 1] += stack[depth];
        break;
      case MULTIPLY:
        depth--;
        stack[depth - 1] *= stack[depth];
        break;
      case HALVE:
        stack[depth - 1] /= 2;
        break;
      case IS_ODD:
        stack[depth - 1] %= 2;
        break;
      case IS_LESS:
        depth--;
        stack[depth - 1] = stack[depth - 1] < stack[depth];
        break;
      case JUMP:
        pc = instruction.operand;
        break;
      case JUMP_IF_ZERO:
        if (stack[--depth] == 0) pc = instruction.operand;
        break;
      case HALT:
        if (depth != 0) fail("the stack of the machine is not empty at the end");
        return;
    }
  }
}

static uint32_t steps_directly(uint32_t start, uint32_t end) {
  uint32_t steps = 0;
  for (; start < end; start++) {
    for (uint32_t number = start; number > 1; steps++) number = number % 2 == 0 ? number / 2 : number * 3 + 1;
  }
  return steps;
}

static uint32_t run(void *own, uint32_t seed) {
  struct memory *const memory = own;
  const uint32_t start = 1 + random_next(&seed) % START_MAX;
  memory->variables[START] = start;
  memory->variables[END] = start + STARTS;
  memory->variables[STEPS] = 0;
  interpret(memory, collatz);
  if (memory->variables[STEPS] != steps_directly(start, start + STARTS)) fail("the machine has miscounted");
  return crc32_append(start, memory->variables, sizeof memory->variables);
}

const struct program machine = {"machine", sizeof(struct memory), 0x4AC41007, run};
