#include "scheduler.h"

#include "csr.h"

static uint32_t ticks;
static struct context idle_context;
static uint32_t last_task = TASKS - 1; // that was given the processor

// In machine mode, where a wait for interrupts is always allowed.
_Noreturn static void idle(void) {
  for (;;) __asm__ volatile("wfi");
}

void scheduler_initialise(void) {
  idle_context.pc = (uint32_t)(uintptr_t)idle;
  idle_context.status = MSTATUS_MPP | MSTATUS_MPIE; // machine mode, interrupts enabled
}

void scheduler_tick(void) {
  ticks++;
  for (uint32_t i = 0; i < TASKS; i++) {
    if (tasks[i].state == TASK_SLEEPING && tasks[i].wake_tick == ticks) tasks[i].state = TASK_READY;
  }
}

struct context *scheduler_next(void) {
  for (uint32_t step = 1; step <= TASKS; step++) {
    const uint32_t candidate = (last_task + step) % TASKS;
    if (tasks[candidate].state != TASK_READY) continue;
    last_task = candidate;
    return &tasks[candidate].context;
  }
  return &idle_context;
}

void scheduler_sleep(struct task *task, uint32_t duration) {
  if (duration == 0) return;
  task->state = TASK_SLEEPING;
  task->wake_tick = ticks + duration;
}
