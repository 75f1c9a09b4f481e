#include "emulation.h"

#include "board.h"
#include "timer.h"

// `csrrs rd, time, x0` and `csrrs rd, timeh, x0`, without rd
#define READ_TIME 0xC0102073u
#define READ_TIME_HIGH 0xC8102073u
#define RD_SHIFT 7
#define RD_MASK 31u
#define INSTRUCTION_BYTES 4u

int emulate(struct context *context) {
  // mtval may hold the instruction, but need not. A pc outside memory would be another exception than this one.
  if (context->pc < RAM_BASE || context->pc > RAM_END - INSTRUCTION_BYTES) return 0;
  const uint32_t instruction = *(const uint32_t *)(uintptr_t)context->pc;
  const uint32_t rd = instruction >> RD_SHIFT & RD_MASK;
  const uint32_t operation = instruction & ~(RD_MASK << RD_SHIFT);
  if (operation != READ_TIME && operation != READ_TIME_HIGH) return 0;
  const uint64_t time = timer_now();
  if (rd != 0) context->x[rd] = operation == READ_TIME ? (uint32_t)time : (uint32_t)(time >> 32);
  context->pc += INSTRUCTION_BYTES;
  return 1;
}
