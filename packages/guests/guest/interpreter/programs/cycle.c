// A number is replaced by a function of itself, again and again: when does one come back, and which?
#include "programs.h"

#define NUMBER_BITS 28u

static const char text[] =
    "  load input  store number\n"
    "again:\n"
    "  load first  push 1  add  store first\n"
    "  load number  get  store second ; when it was met, counted from 1\n"
    "  load second  jump_if met\n"
    "  load number  load first  put\n"
    "  load number  load number  push 13  shift_right  xor  push 2654435761  multiply  push 12345  add  store number\n"
    "  load number  load number  push 15  shift_right  xor  push 268435456  remainder  store number\n"
    "  jump again\n"
    "met: ; from here on counted from 0\n"
    "  load first  push 1  subtract  store first\n"
    "  load second  push 1  subtract  store second\n"
    "  halt\n";

static uint32_t next(uint32_t number) {
  number = (number ^ number >> 13) * 2654435761u + 12345;
  return (number ^ number >> 15) % (1u << NUMBER_BITS);
}

// By Brent's algorithm, which remembers one number.
static struct results directly(uint32_t start) {
  uint32_t length = 1;
  uint32_t power = 1;
  uint32_t slow = start;
  for (uint32_t fast = next(start); fast != slow; fast = next(fast), length++) {
    if (length != power) continue;
    slow = fast;
    power *= 2;
    length = 0;
  }
  uint32_t ahead = start;
  for (uint32_t i = 0; i < length; i++) ahead = next(ahead);
  uint32_t met = 0;
  for (uint32_t behind = start; behind != ahead; behind = next(behind), ahead = next(ahead)) met++;
  return (struct results){met + length, met};
}

const struct workload cycle = {"cycle", text, 7, 1001, directly};
