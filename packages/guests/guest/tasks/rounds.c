#include "rounds.h"

#include "random.h"
#include "systemCalls.h"

void run_rounds(const struct program *program, void *memory) {
  uint32_t seed = program->seed;
  for (uint32_t round = 0; round < ROUNDS; round++) end_round(program->round(memory, random_next(&seed)));
}
