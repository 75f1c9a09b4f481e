// The board: QEMU's `virt`, of which the embedded hypervisor offers the same part. Used from C and from assembly.
#ifndef BOARD_H
#define BOARD_H

#define FINISHER_BASE 0x00100000
#define FINISHER_PASS 0x5555
#define FINISHER_FAIL 0x3333
#define FINISHER_CODE_SHIFT 16

#define CLINT_BASE 0x02000000
#define CLINT_MTIMECMP 0x4000
#define CLINT_MTIME 0xBFF8
#define CLINT_TICKS_PER_MS 10000 // mtime counts at 10 MHz

#define UART_BASE 0x10000000

#define RAM_BASE 0x80000000
// A guest keeps below this line: QEMU puts its device tree above it.
#define RAM_END 0x81C00000

// The host may put one file here before boot: the magic bytes, the length, the contents.
#define BOOT_FILE_BASE 0x81000000
#define BOOT_FILE_MAX_BYTES (4 * 1024 * 1024)

#endif
