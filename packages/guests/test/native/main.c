// A program for measurements on the machine that the tests run on: what it prints is what the guest has to print.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "program.h"

int main(int count, char **arguments) {
  const uint32_t rounds = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : program_rounds;
  uint32_t digest = 0;
  for (uint32_t round = 0; round < rounds; round++) digest = program_digest(digest, program_round(round));
  printf("%s: ok %08x\n", program_name, (unsigned)digest);
  return 0;
}
