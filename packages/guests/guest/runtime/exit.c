#include "exit.h"

#include "board.h"
#include "csr.h"
#include "panic.h"

void exit(uint32_t code) {
  csr_clear(mstatus, MSTATUS_MIE);
  volatile uint32_t *const finisher = (volatile uint32_t *)FINISHER_BASE;
  *finisher = code == 0 ? FINISHER_PASS : code << FINISHER_CODE_SHIFT | FINISHER_FAIL;
  park();
}
