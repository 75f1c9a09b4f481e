// A small real-time kernel: tasks in machine mode that take turns at each tick and whenever one yields.
#ifndef KERNEL_H
#define KERNEL_H

#include <stdint.h>

#define TASKS 3

void kernel_initialise(void);

// `work` computes the task's result.
void task_create(const char *name, uint32_t (*work)(void));

// The next task's turn.
static inline void task_yield(void) {
  __asm__ volatile("ecall" ::: "memory");
}

// While it is locked the ticks come, but nothing is switched.
void scheduler_lock(void);
void scheduler_unlock(void);

// Runs the tasks until all are finished, then ends the guest.
_Noreturn void kernel_run(void);

#endif
