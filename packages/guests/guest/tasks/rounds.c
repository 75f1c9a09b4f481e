#include "rounds.h"

#include "random.h"
#include "systemCalls.h"
#include "tally.h"

void run_rounds(const struct program *program, void *memory) {
  uint32_t seed = program->seed;
  for (uint32_t round = 0; round < ROUNDS; round++) {
    const uint32_t result = program->round(memory, random_next(&seed));
    tally_add(result);
    end_round(result);
  }
}
