#include "kernel.h"

#include "console.h"
#include "csr.h"
#include "emulation.h"
#include "heap.h"
#include "panic.h"
#include "pipe.h"
#include "report.h"
#include "scheduler.h"
#include "systemCalls.h"
#include "task.h"

#define ECALL_BYTES 4u

_Noreturn static void panic_of(const struct task *task, const char *reason) {
  panic_begin();
  print("task ");
  print(task->program->name);
  print(": ");
  print(reason);
  panic_end();
}

static void wake_those_at_the_pipe(void) {
  for (uint32_t i = 0; i < TASKS; i++) {
    if (tasks[i].state == TASK_WAITING_FOR_PIPE) tasks[i].state = TASK_READY;
  }
}

// Ends a call to the pipe. Where nothing could be moved the task waits, and makes the same call again when it is woken.
static void end_pipe_call(struct task *task, uint32_t moved) {
  if (moved == 0) {
    task->state = TASK_WAITING_FOR_PIPE;
    task->context.pc -= ECALL_BYTES;
  } else {
    task->context.x[REGISTER_A0] = moved;
    wake_those_at_the_pipe();
  }
}

static void end_task(struct task *task) {
  heap_release(task->memory);
  heap_release(task->stack);
  task->state = TASK_FINISHED;
  report_progress();
}

static struct context *serve(struct task *task) {
  const uint32_t call = task->context.x[REGISTER_A7];
  const uint32_t first = task->context.x[REGISTER_A0];
  const uint32_t second = task->context.x[REGISTER_A1];
  task->context.pc += ECALL_BYTES;
  switch (call) {
    case CALL_YIELD:
      return scheduler_next();
    case CALL_SLEEP:
      scheduler_sleep(task, first);
      break;
    case CALL_PIPE_WRITE:
      end_pipe_call(task, pipe_put((const uint8_t *)(uintptr_t)first, second));
      break;
    case CALL_PIPE_READ:
      end_pipe_call(task, pipe_take((uint8_t *)(uintptr_t)first, second));
      break;
    case CALL_END_ROUND:
      task->result = first;
      task->state = TASK_WAITING_FOR_ROUND;
      report_progress();
      break;
    case CALL_FAIL:
      panic_of(task, (const char *)(uintptr_t)first);
    case CALL_EXIT:
      end_task(task);
      break;
    default:
      panic_of(task, "unknown system call");
  }
  return task->state == TASK_READY ? &task->context : scheduler_next();
}

static struct context *tick(struct context *interrupted) {
  (void)interrupted; // everything about it is saved
  scheduler_tick();
  return scheduler_next();
}

static struct context *user_exception(struct context *interrupted, uint32_t cause) {
  struct task *const task = task_of(interrupted);
  if (cause == CAUSE_USER_CALL) return serve(task);
  if (cause == CAUSE_ILLEGAL_INSTRUCTION && emulate(interrupted)) return interrupted;
  panic_trap("task ", task->program->name, cause, interrupted->pc);
}

const struct trap_handlers kernel_handlers = {.tick = tick, .user_exception = user_exception};
