// What a task may ask of the kernel. Number in a7, arguments in a0 and a1, result in a0.
#ifndef SYSTEM_CALLS_H
#define SYSTEM_CALLS_H

#define CALL_YIELD 1
#define CALL_SLEEP 2
#define CALL_PIPE_WRITE 3
#define CALL_PIPE_READ 4
#define CALL_END_ROUND 5
#define CALL_FAIL 6
#define CALL_EXIT 7

#ifndef __ASSEMBLER__

#include <stdint.h>

static inline uint32_t system_call(uint32_t number, uint32_t first, uint32_t second) {
  register uint32_t a0 __asm__("a0") = first;
  register uint32_t a1 __asm__("a1") = second;
  register uint32_t a7 __asm__("a7") = number;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a7) : "memory");
  return a0;
}

// Lets the others run.
static inline void yield(void) {
  system_call(CALL_YIELD, 0, 0);
}

static inline void sleep(uint32_t ticks) {
  system_call(CALL_SLEEP, ticks, 0);
}

// Waits until there is room for one byte at least. Returns how many were taken.
static inline uint32_t pipe_write(const void *data, uint32_t bytes) {
  return system_call(CALL_PIPE_WRITE, (uint32_t)(uintptr_t)data, bytes);
}

// Waits until there is one byte at least. Returns how many were given.
static inline uint32_t pipe_read(void *data, uint32_t bytes) {
  return system_call(CALL_PIPE_READ, (uint32_t)(uintptr_t)data, bytes);
}

// Hands in the result of the round, and waits until all tasks have done so.
static inline void end_round(uint32_t result) {
  system_call(CALL_END_ROUND, result, 0);
}

// The task has found its own result to be wrong: the end of the machine.
_Noreturn static inline void fail(const char *reason) {
  for (;;) system_call(CALL_FAIL, (uint32_t)(uintptr_t)reason, 0);
}

#endif
#endif
