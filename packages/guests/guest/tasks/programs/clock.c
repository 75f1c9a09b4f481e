// Sleeps now and then and looks at the time before and after. User mode may not read it, so each look is an illegal
// instruction that the kernel emulates. Nothing of the time goes into the result, since it differs from board to board.
#include "crc32.h"
#include "programs.h"
#include "random.h"
#include "systemCalls.h"

#define NAPS 8u
#define NAP_TICKS_MAX 4u

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
    // No more can be said than this: where ticks came late, those that are overdue follow one another at once.
    if ((int32_t)(read_time() - before) < 0) fail("the time has gone backwards");
    crc = crc32_append_word(crc, ticks);
  }
  return crc;
}

const struct program clock = {"clock", 0, 0xC10C7009, run};
