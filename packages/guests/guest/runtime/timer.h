// The machine timer, as a tick of a fixed period.
#ifndef TIMER_H
#define TIMER_H

#include <stdint.h>

// Asks for an interrupt each `period_ms` milliseconds from now on.
void timer_start(uint32_t period_ms);

// Asks for the next one. It is due one period after the last one was, not after now: so ticks do not drift.
void timer_rearm(void);

// mtime, in units of 1 / CLINT_TICKS_PER_MS milliseconds.
uint64_t timer_now(void);

#endif
