// Who runs next: the ready tasks in turn, each for one tick at most; nobody while all wait.
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include "task.h"

void scheduler_initialise(void);

// Counts the tick and wakes those that slept until now.
void scheduler_tick(void);

// The context to go on with: that of the ready task whose turn it is, or of the idle loop.
struct context *scheduler_next(void);

void scheduler_sleep(struct task *task, uint32_t ticks);

#endif
