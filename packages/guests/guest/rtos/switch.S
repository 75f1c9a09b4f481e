// Entry to and return from traps, as real-time kernels on RISC-V often have it: the registers of a task are saved on
// its own stack, and the kernel's variable `current_task` says whose they are. mscratch is never touched.
#include "switch.h"

  .file "switch.S"

#define KERNEL_STACK_BYTES 4096

  .text
  .balign 4
  .globl kernel_trap
  .type kernel_trap, @function
kernel_trap:
  addi sp, sp, -FRAME_BYTES
  sw x1, FRAME_X(1)(sp)
  .irp n, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  sw x\n, FRAME_X(\n)(sp)
  .endr
  csrr t0, mepc
  csrr t1, mstatus
  sw t0, FRAME_PC(sp)
  sw t1, FRAME_STATUS(sp)
  lw t0, current_task
  sw sp, TASK_SP(t0)
  csrr a0, mcause
  la sp, kernel_stack_top
  call kernel_switch
  .size kernel_trap, . - kernel_trap

  .globl kernel_resume
  .type kernel_resume, @function
kernel_resume:
  lw t0, current_task
  lw sp, TASK_SP(t0)
  lw t0, FRAME_PC(sp)
  lw t1, FRAME_STATUS(sp)
  csrw mepc, t0
  csrw mstatus, t1
  lw x1, FRAME_X(1)(sp)
  .irp n, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  lw x\n, FRAME_X(\n)(sp)
  .endr
  addi sp, sp, FRAME_BYTES
  mret
  .size kernel_resume, . - kernel_resume

  .bss
  .balign 16
  .skip KERNEL_STACK_BYTES
kernel_stack_top:
