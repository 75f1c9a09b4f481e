// From reset to main().
#include "csr.h"

  .file "start.S" // else the symbol table has the random name of a temporary file

#define BOOT_STACK_BYTES 16384

  .section .text.start, "ax", @progbits
  .globl _start
  .type _start, @function
_start:
  csrw mie, zero
  csrw mstatus, zero
  bnez a0, park // one processor is enough

  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  la sp, boot_stack_top

  la t0, bss_start
  la t1, bss_end
1:
  bgeu t0, t1, 2f
  sw zero, 0(t0)
  addi t0, t0, 4
  j 1b
2:
  la t0, boot_context
  csrw mscratch, t0
  la t0, trap_entry
  csrw mtvec, t0
  csrw mcounteren, zero // user mode reads no counters: tasks/emulation.c

  // Without an open region user mode may touch nothing. Where there is no physical memory protection, this does
  // nothing.
  li t0, PMP_EVERYWHERE
  csrw pmpaddr0, t0
  li t0, PMP_NAPOT_RWX
  csrw pmpcfg0, t0

  call main
  tail exit
  .size _start, . - _start

// Where a machine that has nothing left to do stays. It is exactly one instruction.
  .globl park
  .type park, @function
  .option push
  .option norvc
park:
  j park
  .option pop
  .size park, . - park

  .bss
  .balign 16
  .skip BOOT_STACK_BYTES
boot_stack_top:
