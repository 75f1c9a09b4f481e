// A task, as the kernel knows it.
#ifndef TASK_H
#define TASK_H

#include "context.h"
#include "program.h"

enum task_state {
  TASK_READY,
  TASK_SLEEPING, // until its wake_tick
  TASK_WAITING_FOR_PIPE,
  TASK_WAITING_FOR_ROUND, // has ended its own
  TASK_FINISHED,
};

struct task {
  struct context context; // must stand first: see task_of
  const struct program *program;
  enum task_state state;
  uint32_t wake_tick;
  uint32_t result; // of the round that it ended last
  uint32_t checksum; // of all its results
  void *memory;
  void *stack;
};

#define TASKS PROGRAMS

extern struct task tasks[TASKS];

// Makes a task of each program.
void tasks_create(void);

// The task that a context belongs to.
static inline struct task *task_of(struct context *context) {
  return (struct task *)context;
}

#endif
