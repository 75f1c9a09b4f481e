// Assembles programs for a small machine and interprets them. They live on a hash table; their results are compared
// with those of another algorithm that does without.
#include <stddef.h>
#include <stdint.h>

#include "assembler.h"
#include "console.h"
#include "crc32.h"
#include "csr.h"
#include "machine.h"
#include "panic.h"
#include "programs.h"
#include "timer.h"
#include "trap.h"
#include "uart.h"

#define TICK_MS 1
#define ROUNDS 3u
#define NAME_COLUMNS 11
#define NUMBER_COLUMNS 10
#define KEYS_COLUMNS 5

// Nothing here waits for the time. The tick is a sign of life for the hypervisor.
static struct context *tick(struct context *interrupted) {
  return interrupted;
}

static const struct trap_handlers handlers = {.tick = tick, .user_exception = NULL};

static struct program program;
static struct machine machine;

static void check(const struct workload *workload, uint32_t input, struct results results) {
  const struct results expected = workload->directly(input);
  if (results.first == expected.first && results.second == expected.second) return;
  panic_begin();
  print("interpreter: the results of ");
  print(workload->name);
  print(" are wrong");
  panic_end();
}

static void print_results(const struct workload *workload, uint32_t input, struct results results) {
  print_padded(workload->name, NAME_COLUMNS);
  print_decimal(input, NUMBER_COLUMNS);
  print(" ->");
  print_decimal(results.first, NUMBER_COLUMNS + 1);
  print_decimal(results.second, NUMBER_COLUMNS + 1);
  print(", ");
  print_decimal(machine.table.keys, KEYS_COLUMNS);
  print(" keys\n");
}

// Gives a checksum of the results, of the table and of the number of operations.
static uint32_t run(const struct workload *workload, uint32_t input) {
  program_assemble(&program, workload->text);
  machine_make(&machine);
  machine.variables[program_variable(&program, "input")] = input;
  machine_run(&machine, &program);
  const struct results results = {machine.variables[program_variable(&program, "first")],
                                  machine.variables[program_variable(&program, "second")]};
  check(workload, input, results);
  print_results(workload, input, results);
  uint32_t checksum = crc32_append_word(0, results.first);
  checksum = crc32_append_word(checksum, results.second);
  checksum = crc32_append_word(checksum, machine.table.keys);
  checksum = crc32_append_word(checksum, table_digest(&machine.table));
  checksum = crc32_append_word(checksum, machine.executed);
  machine_release(&machine);
  program_release(&program);
  return checksum;
}

// Called by start.S, which switches the machine off with the code returned.
uint32_t main(void);

uint32_t main(void) {
  uart_initialise();
  crc32_initialise();
  trap_install(&handlers);
  timer_start(TICK_MS);
  csr_set(mstatus, MSTATUS_MIE);

  print("interpreter: bytecode on a stack machine with a hash table\n");
  uint32_t checksum = 0;
  uint32_t executed = 0;
  for (uint32_t round = 0; round < ROUNDS; round++) {
    print("round ");
    print_decimal(round + 1, 0);
    print(" of ");
    print_decimal(ROUNDS, 0);
    print("\n");
    for (uint32_t i = 0; i < WORKLOADS; i++) {
      const uint32_t input = workloads[i]->input + round * workloads[i]->input_step;
      checksum = crc32_append_word(checksum, run(workloads[i], input));
      executed += machine.executed;
    }
  }
  print_decimal(executed, 0);
  print(" operations\ninterpreter: ok ");
  print_hex(checksum);
  print("\n");
  return 0;
}
