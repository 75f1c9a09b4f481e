#include "receiver.h"

#include <stdint.h>

#include "csr.h"
#include "uart.h"

#define CAPACITY 4096u // a power of two

static volatile uint8_t ring[CAPACITY];
// How many bytes were ever received and taken.
static volatile uint32_t received;
static volatile uint32_t taken;

// Where the ring is full, bytes stay in the UART: whether more are lost is up to the line.
void receiver_poll(void) {
  while (received - taken < CAPACITY) {
    const int byte = uart_take();
    if (byte == UART_NOTHING) return;
    ring[received % CAPACITY] = (uint8_t)byte;
    received++;
  }
}

// With interrupts off, so that no tick comes between the look and the wait. WFI ends at a tick all the same.
static void wait(void) {
  csr_clear(mstatus, MSTATUS_MIE);
  receiver_poll();
  if (received == taken) __asm__ volatile("wfi");
  csr_set(mstatus, MSTATUS_MIE);
}

char receiver_take(void) {
  while (received == taken) wait();
  const char byte = (char)ring[taken % CAPACITY];
  taken++;
  return byte;
}
