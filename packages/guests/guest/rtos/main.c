// A small real-time kernel and three tasks: a sieve of primes, an insertion sort, and a Collatz search.
#include <stdint.h>

#include "console.h"
#include "crc32.h"
#include "kernel.h"
#include "panic.h"
#include "uart.h"

#define ROUNDS 120u
#define SIEVE 20000u
#define PRIMES_BELOW_SIEVE 2262u
#define NUMBERS 300u
#define STARTS 1000u
#define LONGEST_BELOW_1000 871u

_Noreturn void main(void);

static uint32_t sieve(void) {
  static uint8_t composite[SIEVE];
  uint32_t crc = 0;
  for (uint32_t round = 0; round < ROUNDS; round += 1) {
    uint32_t primes = 0;
    for (uint32_t number = 0; number < SIEVE; number += 1) composite[number] = 0;
    for (uint32_t number = 2; number < SIEVE; number += 1) {
      if (composite[number]) continue;
      primes += 1;
      for (uint32_t multiple = number * number; number < 142 && multiple < SIEVE; multiple += number) {
        composite[multiple] = 1;
      }
    }
    if (primes != PRIMES_BELOW_SIEVE) panic("wrong number of primes");
    crc = crc32_append_word(crc, primes + round);
    task_yield();
  }
  return crc;
}

static uint32_t sort(void) {
  static uint32_t numbers[NUMBERS];
  uint32_t random = 12345;
  uint32_t crc = 0;
  for (uint32_t round = 0; round < ROUNDS; round += 1) {
    for (uint32_t end = 0; end < NUMBERS; end += 1) {
      random = random * 1664525u + 1013904223u;
      uint32_t at = end;
      for (; at > 0 && numbers[at - 1] > random; at -= 1) numbers[at] = numbers[at - 1];
      numbers[at] = random;
    }
    for (uint32_t at = 1; at < NUMBERS; at += 1) {
      if (numbers[at - 1] > numbers[at]) panic("not sorted");
    }
    scheduler_lock();
    crc = crc32_append(crc, numbers, sizeof numbers);
    scheduler_unlock();
    task_yield();
  }
  return crc;
}

static uint32_t collatz(void) {
  uint32_t crc = 0;
  for (uint32_t round = 0; round < ROUNDS; round += 1) {
    uint32_t longest = 0;
    uint32_t best = 0;
    for (uint32_t start = 1; start <= STARTS; start += 1) {
      uint32_t steps = 0;
      for (uint32_t number = start; number != 1; number = number & 1 ? 3 * number + 1 : number / 2) steps += 1;
      if (steps > longest) {
        longest = steps;
        best = start;
      }
    }
    if (best != LONGEST_BELOW_1000) panic("wrong Collatz start");
    crc = crc32_append_word(crc, best * longest + round);
    task_yield();
  }
  return crc;
}

void main(void) {
  kernel_initialise();
  uart_initialise();
  crc32_initialise();
  print("rtos: three tasks in machine mode\n");
  task_create("sieve", sieve);
  task_create("sort", sort);
  task_create("collatz", collatz);
  kernel_run();
}
