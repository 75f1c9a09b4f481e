// What the interpreter runs.
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdint.h>

struct results {
  uint32_t first;
  uint32_t second;
};

// A program reads its variable `input` and leaves its results in `first` and `second`.
struct workload {
  const char *name;
  const char *text; // as assembler.h has it
  // The input of a round.
  uint32_t input;
  uint32_t input_step;
  // The same results, computed by other means.
  struct results (*directly)(uint32_t input);
};

#define WORKLOADS 4u

extern const struct workload *const workloads[WORKLOADS];

extern const struct workload collatz;
extern const struct workload words;
extern const struct workload cycle;
extern const struct workload partitions;

#endif
