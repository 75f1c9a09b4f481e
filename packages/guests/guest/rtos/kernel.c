#include "kernel.h"

#include "console.h"
#include "crc32.h"
#include "csr.h"
#include "exit.h"
#include "heap.h"
#include "panic.h"
#include "switch.h"
#include "timer.h"

#define TICK_MS 1
#define STACK_WORDS 1024
#define FRAME_WORDS (FRAME_BYTES / 4)
#define CAUSE_MACHINE_CALL 11u
#define CALL_BYTES 4

_Noreturn void kernel_switch(uint32_t mcause);

static struct task tasks[TASKS];
static uint32_t task_count;
static uint32_t (*works[TASKS])(void);

// Named by its symbol for whoever wants to see the switches.
struct task *current_task;
volatile uint32_t scheduler_locked;

void kernel_initialise(void) {
  csr_write(mtvec, (uint32_t)&kernel_trap);
}

static _Noreturn void task_begin(void) {
  struct task *const self = current_task;
  self->result = works[self - tasks]();
  self->finished = 1;
  for (;;) task_yield();
}

void task_create(const char *name, uint32_t (*work)(void)) {
  struct task *const task = &tasks[task_count];
  works[task_count] = work;
  task_count += 1;
  task->name = name;
  task->stack = heap_allocate(STACK_WORDS * sizeof(uint32_t));
  task->sp = task->stack + STACK_WORDS - FRAME_WORDS;
  task->sp[FRAME_PC / 4] = (uint32_t)&task_begin;
  task->sp[FRAME_STATUS / 4] = MSTATUS_MPP | MSTATUS_MPIE;
}

void scheduler_lock(void) {
  scheduler_locked += 1;
}

void scheduler_unlock(void) {
  scheduler_locked -= 1;
}

static _Noreturn void report(void) {
  uint32_t crc = 0;
  for (uint32_t index = 0; index < task_count; index += 1) {
    const struct task *const task = &tasks[index];
    print_padded(task->name, 8);
    print_hex(task->result);
    print("\n");
    crc = crc32_append_word(crc, task->result);
  }
  print("rtos: ok ");
  print_hex(crc);
  print("\n");
  exit(0);
}

// The next task that has work left.
static struct task *next(void) {
  uint32_t index = (uint32_t)(current_task - tasks);
  for (uint32_t turn = 0; turn < task_count; turn += 1) {
    index = index + 1 == task_count ? 0 : index + 1;
    if (!tasks[index].finished) return &tasks[index];
  }
  report();
}

_Noreturn void kernel_switch(uint32_t mcause) {
  if (mcause == CAUSE_MACHINE_TIMER) {
    timer_rearm();
  } else if (mcause == CAUSE_MACHINE_CALL) {
    current_task->sp[FRAME_PC / 4] += CALL_BYTES;
  } else {
    panic_trap("task ", current_task->name, mcause, current_task->sp[FRAME_PC / 4]);
  }
  if (scheduler_locked == 0) current_task = next();
  kernel_resume();
}

_Noreturn void kernel_run(void) {
  current_task = tasks;
  timer_start(TICK_MS);
  kernel_resume();
}
