// What a task runs.
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdint.h>

#define ROUNDS 18u

struct program {
  const char *name;
  uint32_t memory_bytes; // of the task's own memory
  uint32_t seed;
  // One round. Runs in user mode. Returns its result, which must not depend on timing.
  uint32_t (*round)(void *memory, uint32_t seed);
};

#define PROGRAMS 10u

extern const struct program *const programs[PROGRAMS];

#endif
