// The first and the last instruction of every task, in user mode.
#include "systemCalls.h"

  .file "taskStart.S" // else the symbol table has the random name of a temporary file

  .text
// a0: the program, a1: its memory
  .globl task_start
  .type task_start, @function
task_start:
  call run_rounds
  li a7, CALL_EXIT
  ecall
  .size task_start, . - task_start

// Where a task that has returned stays. It is exactly one instruction.
  .globl task_park
  .type task_park, @function
task_park:
  j task_park
  .size task_park, . - task_park
