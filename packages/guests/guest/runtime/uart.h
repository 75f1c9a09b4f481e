// The serial line: a 16550, polled.
#ifndef UART_H
#define UART_H

void uart_initialise(void);
void uart_put(char byte);

// The next byte that has been received, or UART_NOTHING.
int uart_take(void);
#define UART_NOTHING (-1)

#endif
