#include "trap.h"

#include "csr.h"
#include "panic.h"
#include "timer.h"

struct context boot_context;

static const struct trap_handlers *installed;

void trap_install(const struct trap_handlers *handlers) {
  installed = handlers;
}

struct context *trap(struct context *interrupted) {
  const uint32_t cause = csr_read(mcause);
  if (cause == CAUSE_MACHINE_TIMER && installed != NULL) {
    timer_rearm();
    return installed->tick(interrupted);
  }
  const int from_user = (interrupted->status & MSTATUS_MPP) == 0;
  if ((cause & CAUSE_INTERRUPT) == 0 && from_user && installed != NULL && installed->user_exception != NULL) {
    return installed->user_exception(interrupted, cause);
  }
  panic_trap("machine mode", "", cause, interrupted->pc);
}
