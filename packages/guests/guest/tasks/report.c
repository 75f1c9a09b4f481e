#include "report.h"

#include "console.h"
#include "crc32.h"
#include "exit.h"
#include "panic.h"
#include "scheduler.h"
#include "tally.h"

#define REST_TICKS 4u
#define NAME_COLUMNS 10u

static uint32_t rounds_ended;

static uint32_t count(enum task_state state) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < TASKS; i++) found += tasks[i].state == state;
  return found;
}

static void report_round(void) {
  uint32_t checksum = 0;
  uint32_t sum = 0;
  for (uint32_t i = 0; i < TASKS; i++) {
    sum += tasks[i].result;
    checksum = crc32_append_word(checksum, tasks[i].result);
    tasks[i].checksum = crc32_append_word(tasks[i].checksum, tasks[i].result);
    scheduler_sleep(&tasks[i], REST_TICKS);
  }
  if (tally != sum) panic("the tally of the tasks is not the sum of their results");
  tally = 0;
  print("round ");
  print_decimal(++rounds_ended, 2);
  print(" of ");
  print_decimal(ROUNDS, 2);
  print(": ");
  print_hex(checksum);
  print("\n");
}

_Noreturn static void report_end(void) {
  uint32_t checksum = 0;
  for (uint32_t i = 0; i < TASKS; i++) {
    checksum = crc32_append_word(checksum, tasks[i].checksum);
    print_padded(tasks[i].program->name, NAME_COLUMNS);
    print_hex(tasks[i].checksum);
    print("\n");
  }
  print("tasks: ok ");
  print_hex(checksum);
  print("\n");
  exit(0);
}

void report_progress(void) {
  if (count(TASK_WAITING_FOR_ROUND) == TASKS) report_round();
  if (count(TASK_FINISHED) == TASKS) report_end();
}
