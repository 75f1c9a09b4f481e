#include "panic.h"

#include "console.h"
#include "csr.h"

static volatile int panicking;

void panic_begin(void) {
  csr_clear(mstatus, MSTATUS_MIE);
  // A panic in a panic, be it by its own `ebreak` that nobody took: there is no more to say.
  if (panicking) park();
  panicking = 1;
  print_line_start();
  print("panic: ");
}

void panic_end(void) {
  print("\n");
  __asm__ volatile("ebreak");
  park();
}

void panic(const char *reason) {
  panic_begin();
  print(reason);
  panic_end();
}

void panic_trap(const char *where, const char *name, uint32_t mcause, uint32_t mepc) {
  const uint32_t mtval = csr_read(mtval);
  panic_begin();
  print("unexpected trap in ");
  print(where);
  print(name);
  print(": mcause 0x");
  print_hex(mcause);
  print(", mepc 0x");
  print_hex(mepc);
  print(", mtval 0x");
  print_hex(mtval);
  panic_end();
}
