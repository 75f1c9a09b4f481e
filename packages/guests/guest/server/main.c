// Answers requests that come on the serial line, from a store of keys and values.
#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "crc32.h"
#include "csr.h"
#include "line.h"
#include "receiver.h"
#include "request.h"
#include "store.h"
#include "timer.h"
#include "trap.h"
#include "uart.h"

// Often enough for 115200 baud: no more than 12 bytes come in a millisecond, and the UART holds 16.
#define TICK_MS 1

static uint32_t requests;
static uint32_t refused;

static struct context *tick(struct context *interrupted) {
  receiver_poll();
  return interrupted;
}

static const struct trap_handlers handlers = {.tick = tick, .user_exception = NULL};

static void answer(const struct request *request, const char *text) {
  print(request->id.text);
  print(" ");
  print(text);
}

static void answer_value(const struct request *request, uint32_t value) {
  answer(request, "ok ");
  print_decimal(value, 0);
}

static void refuse(const struct request *request, const char *problem) {
  refused++;
  answer(request, "error ");
  print(problem);
}

static void put(const struct request *request, uint32_t value) {
  if (store_put(&request->key, value)) {
    answer_value(request, value);
  } else {
    refuse(request, "the store is full");
  }
}

static void serve(const struct request *request) {
  const uint32_t *value;
  switch (request->command) {
    case COMMAND_PUT:
      put(request, request->value);
      break;
    case COMMAND_GET:
      value = store_get(&request->key);
      if (value != NULL) {
        answer_value(request, *value);
      } else {
        answer(request, "none");
      }
      break;
    case COMMAND_INCREMENT:
      value = store_get(&request->key);
      put(request, value == NULL ? 1 : *value + 1);
      break;
    case COMMAND_SUM:
      answer_value(request, store_totals().sum);
      break;
    case COMMAND_QUIT:
      answer(request, "ok");
      break;
  }
}

// Until one asks to quit, or the input ends.
static void serve_all(void) {
  struct line line;
  struct request request;
  for (line_read(&line); line.end != LINE_NONE; line_read(&line)) {
    requests++;
    const char *const problem = request_read(&request, &line);
    if (problem != NULL) {
      refuse(&request, problem);
    } else {
      serve(&request);
    }
    print("\n");
    if (problem == NULL && request.command == COMMAND_QUIT) return;
  }
}

static void print_count(uint32_t count, const char *what) {
  print_decimal(count, 0);
  print(what);
}

// Called by start.S, which switches the machine off with the code returned.
uint32_t main(void);

uint32_t main(void) {
  uart_initialise();
  crc32_initialise();
  store_initialise();
  trap_install(&handlers);
  timer_start(TICK_MS);
  csr_set(mstatus, MSTATUS_MIE);

  print("server: ready\n");
  serve_all();
  const struct totals totals = store_totals();
  print("server: ");
  print_count(requests, " requests, ");
  print_count(refused, " refused, ");
  print_count(totals.keys, " keys\n");

  uint32_t checksum = crc32_append_word(0, requests);
  checksum = crc32_append_word(checksum, refused);
  checksum = crc32_append_word(checksum, totals.keys);
  checksum = crc32_append_word(checksum, totals.sum);
  checksum = crc32_append_word(checksum, totals.digest);
  print("server: ok ");
  print_hex(checksum);
  print("\n");
  return 0;
}
