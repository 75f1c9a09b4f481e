// A small pre-emptive kernel and its tasks in user mode. Each task computes the rounds of its program and checks them.
#include <stdint.h>

#include "console.h"
#include "crc32.h"
#include "kernel.h"
#include "scheduler.h"
#include "task.h"
#include "timer.h"
#include "uart.h"

#define TICK_MS 1

_Noreturn void main(void);

void main(void) {
  uart_initialise();
  crc32_initialise();
  print("tasks: ");
  print_decimal(TASKS, 0);
  print(" tasks in user mode, ");
  print_decimal(ROUNDS, 0);
  print(" rounds each\n");
  trap_install(&kernel_handlers);
  scheduler_initialise();
  tasks_create();
  timer_start(TICK_MS);
  context_resume(scheduler_next());
}
