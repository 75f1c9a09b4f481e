// What the trap entry saves of a task, on the task's own stack.
#ifndef SWITCH_H
#define SWITCH_H

#define FRAME_BYTES 128
#define FRAME_X(n) (4 * n) // x1 and x5 to x31; the places of the others hold the two below
#define FRAME_PC 0
#define FRAME_STATUS 8
#define TASK_SP 0

#ifndef __ASSEMBLER__

#include <stdint.h>

struct task {
  uint32_t *sp; // while it does not run
  uint32_t *stack;
  const char *name;
  uint32_t result;
  uint32_t finished;
};

// The trap vector.
void kernel_trap(void);

// Goes on with the current task.
_Noreturn void kernel_resume(void);

#endif
#endif
