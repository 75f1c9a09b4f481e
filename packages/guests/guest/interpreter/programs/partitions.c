// In how many ways a number is a sum of positive ones, modulo 2^32: in all, and with no part above a third of it. By a
// recursion with a table of what is known.
#include "heap.h"
#include "memory.h"
#include "programs.h"

// The subroutine takes a number and the greatest part from the stack.
static const char text[] =
    "  load input  load input  call partitions  store first\n"
    "  load input  load input  push 3  divide  call partitions  store second\n"
    "  halt\n"
    "partitions:\n"
    "  pick 1  jump_unless one\n"
    "  pick 0  jump_unless none\n"
    "  pick 1  push 1024  multiply  pick 1  add  get\n"
    "  pick 0  jump_if found\n"
    "  drop\n"
    "  pick 1  pick 1  push 1  subtract  call partitions ; without the greatest part\n"
    "  pick 2  pick 2  less  jump_if keep\n"
    "  pick 2  pick 2  subtract  pick 2  call partitions  add ; with it\n"
    "keep:\n"
    "  pick 2  push 1024  multiply  pick 2  add  pick 1  put\n"
    "found:\n"
    "  slide 2  return\n"
    "one:\n"
    "  push 1  slide 2  return\n"
    "none:\n"
    "  push 0  slide 2  return\n";

static uint32_t with_parts_up_to(uint32_t greatest, uint32_t number) {
  uint32_t *const ways = heap_allocate((number + 1) * sizeof *ways);
  memset(ways, 0, (number + 1) * sizeof *ways);
  ways[0] = 1;
  for (uint32_t part = 1; part <= greatest; part++) {
    for (uint32_t sum = part; sum <= number; sum++) ways[sum] += ways[sum - part];
  }
  const uint32_t found = ways[number];
  heap_release(ways);
  return found;
}

// Part by part, in a list.
static struct results directly(uint32_t number) {
  return (struct results){with_parts_up_to(number, number), with_parts_up_to(number / 3, number)};
}

const struct workload partitions = {"partitions", text, 120, 20, directly};
