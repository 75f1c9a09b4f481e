#include "uart.h"

#include <stdint.h>

#include "board.h"

enum { TRANSMIT = 0, RECEIVE = 0, INTERRUPT_ENABLE = 1, FIFO_CONTROL = 2, LINE_CONTROL = 3, LINE_STATUS = 5 };
enum { FIFO_ENABLE = 1, EIGHT_BITS_NO_PARITY = 3, RECEIVED = 1 << 0, TRANSMIT_EMPTY = 1 << 5 };

static volatile uint8_t *const uart = (volatile uint8_t *)UART_BASE;

void uart_initialise(void) {
  uart[INTERRUPT_ENABLE] = 0;
  uart[LINE_CONTROL] = EIGHT_BITS_NO_PARITY;
  uart[FIFO_CONTROL] = FIFO_ENABLE;
}

void uart_put(char byte) {
  while ((uart[LINE_STATUS] & TRANSMIT_EMPTY) == 0) {
  }
  uart[TRANSMIT] = (uint8_t)byte;
}

int uart_take(void) {
  return (uart[LINE_STATUS] & RECEIVED) != 0 ? uart[RECEIVE] : UART_NOTHING;
}
