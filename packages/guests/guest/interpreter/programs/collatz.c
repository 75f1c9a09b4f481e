// The longest Collatz sequence that starts below a limit, with a table of the steps that are left from each number met.
#include "programs.h"

static const char text[] =
    "next_start:\n"
    "  load start  push 1  add  store start\n"
    "  load start  load input  less  jump_unless done\n"
    "  load start  store number\n"
    "  push 0  store steps\n"
    "walk: ; until a number whose steps are known\n"
    "  load number  push 1  equal  jump_if walked\n"
    "  load number  get  store left\n"
    "  load left  jump_if known\n"
    "  call step\n"
    "  load steps  push 1  add  store steps\n"
    "  jump walk\n"
    "known:\n"
    "  load steps  load left  add  store steps\n"
    "walked:\n"
    "  load start  store number\n"
    "  load steps  store left\n"
    "note: ; the same way again\n"
    "  load left  jump_unless noted\n"
    "  load number  get  jump_if noted\n"
    "  load number  load left  put\n"
    "  call step\n"
    "  load left  push 1  subtract  store left\n"
    "  jump note\n"
    "noted:\n"
    "  load second  load steps  less  jump_unless next_start\n"
    "  load start  store first\n"
    "  load steps  store second\n"
    "  jump next_start\n"
    "step:\n"
    "  load number  push 2  remainder  jump_if odd\n"
    "  load number  push 2  divide  store number\n"
    "  return\n"
    "odd:\n"
    "  load number  push 3  multiply  push 1  add  store number\n"
    "  return\n"
    "done:\n"
    "  halt\n";

// Without any memory.
static struct results directly(uint32_t limit) {
  struct results longest = {0, 0};
  for (uint32_t start = 1; start < limit; start++) {
    uint32_t steps = 0;
    for (uint32_t number = start; number > 1; steps++) number = number % 2 == 0 ? number / 2 : number * 3 + 1;
    if (steps > longest.second) longest = (struct results){start, steps};
  }
  return longest;
}

const struct workload collatz = {"collatz", text, 6000, 500, directly};
