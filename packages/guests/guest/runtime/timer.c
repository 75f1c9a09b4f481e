#include "timer.h"

#include "board.h"
#include "csr.h"

static volatile uint32_t *const mtimecmp = (volatile uint32_t *)(CLINT_BASE + CLINT_MTIMECMP);
static volatile const uint32_t *const mtime = (volatile const uint32_t *)(CLINT_BASE + CLINT_MTIME);

static uint64_t due;
static uint32_t period;

static void set_mtimecmp(uint64_t value) {
  mtimecmp[0] = UINT32_MAX; // no early interrupt between the two halves
  mtimecmp[1] = (uint32_t)(value >> 32);
  mtimecmp[0] = (uint32_t)value;
}

void timer_start(uint32_t period_ms) {
  period = period_ms * CLINT_TICKS_PER_MS;
  due = timer_now();
  timer_rearm();
  csr_set(mie, MIE_TIMER);
}

void timer_rearm(void) {
  due += period;
  set_mtimecmp(due);
}

uint64_t timer_now(void) {
  uint32_t high;
  uint32_t low;
  do {
    high = mtime[1];
    low = mtime[0];
  } while (mtime[1] != high); // the low half ran over in between
  return (uint64_t)high << 32 | low;
}
