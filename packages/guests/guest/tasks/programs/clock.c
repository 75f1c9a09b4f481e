// Sleeps now and then and looks at the time before and after. User mode may not read it, so each look is an illegal
// instruction that the kernel emulates. Nothing of the time goes into the result, since it differs from board to board.
#include "board.h"
#include "crc32.h"
#include "programs.h"
#include "random.h"
#include "systemCalls.h"

#define NAPS 8u
#define NAP_TICKS_MAX 4u
#define TICK_TIME CLINT_TICKS_PER_MS

static uint32_t read_time(void) {
  uint32_t time;
  __asm__ volatile("rdtime %0" : "=r"(time));
  return time;
}

static uint32_t run(void *own, uint32_t seed) {
  (void)own;
  uint32_t crc = 0;
  for (uint32_t nap = 0; nap < NAPS; nap++) {
    const uint32_t ticks = 1 + random_next(&seed) % NAP_TICKS_MAX;
    const uint32_t before = read_time();
    sleep(ticks);
    // The first of the ticks may have been due already.
    if (read_time() - before < (ticks - 1) * TICK_TIME) fail("woken too early");
    crc = crc32_append_word(crc, ticks);
  }
  return crc;
}

const struct program clock = {"clock", 0, 0xC10C7009, run};
