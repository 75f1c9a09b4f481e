// Control and status registers of machine mode, and the bits of them that the guests use.
#ifndef CSR_H
#define CSR_H

#define MSTATUS_MIE (1u << 3)
#define MSTATUS_MPIE (1u << 7)
#define MSTATUS_MPP (3u << 11) // both bits set: machine mode; both clear: user mode

#define MIE_TIMER (1u << 7)

#define CAUSE_INTERRUPT (1u << 31)
#define CAUSE_MACHINE_TIMER (CAUSE_INTERRUPT | 7u)
#define CAUSE_ILLEGAL_INSTRUCTION 2u
#define CAUSE_USER_CALL 8u

// One region that takes in all addresses and grants everything (naturally aligned power of two; read, write, execute).
#define PMP_EVERYWHERE 0xFFFFFFFFu
#define PMP_NAPOT_RWX 0x1Fu

#ifndef __ASSEMBLER__

#define csr_read(name)                                        \
  __extension__({                                             \
    uint32_t csr_value;                                       \
    __asm__ volatile("csrr %0, " #name : "=r"(csr_value));    \
    csr_value;                                                \
  })
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"rK"(value) : "memory")
#define csr_set(name, bits) __asm__ volatile("csrs " #name ", %0" ::"rK"(bits) : "memory")
#define csr_clear(name, bits) __asm__ volatile("csrc " #name ", %0" ::"rK"(bits) : "memory")

#endif
#endif
