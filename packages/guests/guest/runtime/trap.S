// Entry to and return from traps.
//
// mscratch holds the context of what is running and changes only when something else is resumed. To keep it so, the
// entry does not swap it with a register, as is often done: it takes tp instead, which belongs to the trap entry alone.
// (Compiled code uses tp for thread-local storage only, which no guest has.)
#include "context.h"

  .file "trap.S" // else the symbol table has the random name of a temporary file

#define TRAP_STACK_BYTES 8192

  .text
  .balign 4
  .globl trap_entry
  .type trap_entry, @function
trap_entry:
  csrr tp, mscratch
  .irp n, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  sw x\n, CONTEXT_X + 4 * \n(tp)
  .endr
  csrr t0, mepc
  sw t0, CONTEXT_PC(tp)
  csrr t0, mstatus
  sw t0, CONTEXT_STATUS(tp)

  // What was interrupted may have any gp and any sp.
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  la sp, trap_stack_top
  mv a0, tp
  call trap // returns the context to go on with
  .size trap_entry, . - trap_entry

  .globl context_resume
  .type context_resume, @function
context_resume:
  csrw mscratch, a0
  mv tp, a0
  sc.w zero, zero, (tp) // ends a reservation of whoever was interrupted; never succeeds, and x[0] is unused
  lw t0, CONTEXT_PC(tp)
  csrw mepc, t0
  lw t0, CONTEXT_STATUS(tp)
  csrw mstatus, t0
  .irp n, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  lw x\n, CONTEXT_X + 4 * \n(tp)
  .endr
  mret
  .size context_resume, . - context_resume

  .bss
  .balign 16
  .skip TRAP_STACK_BYTES
trap_stack_top:
