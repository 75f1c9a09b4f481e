#include "tally.h"

#include "systemCalls.h"

uint32_t tally;

static uint32_t taken; // 1: a task is at it

void tally_add(uint32_t result) {
  uint32_t free = 0;
  while (!__atomic_compare_exchange_n(&taken, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
    free = 0;
    yield();
  }
  tally += result;
  __atomic_store_n(&taken, 0, __ATOMIC_RELEASE);
}
