#include "task.h"

#include "csr.h"
#include "heap.h"
#include "memory.h"

#define STACK_BYTES 4096u

extern uint8_t __global_pointer$[];
void task_start(void);

struct task tasks[TASKS];

static void create(struct task *task, const struct program *program) {
  task->program = program;
  task->state = TASK_READY;
  task->memory = heap_allocate(program->memory_bytes);
  task->stack = heap_allocate(STACK_BYTES);
  memset(task->memory, 0, program->memory_bytes);
  task->context.pc = (uint32_t)(uintptr_t)task_start;
  task->context.status = MSTATUS_MPIE; // user mode, interrupts enabled
  task->context.x[REGISTER_SP] = (uint32_t)(uintptr_t)task->stack + STACK_BYTES;
  task->context.x[REGISTER_GP] = (uint32_t)(uintptr_t)__global_pointer$;
  task->context.x[REGISTER_A0] = (uint32_t)(uintptr_t)program;
  task->context.x[REGISTER_A1] = (uint32_t)(uintptr_t)task->memory;
}

void tasks_create(void) {
  for (uint32_t i = 0; i < TASKS; i++) create(&tasks[i], programs[i]);
}
