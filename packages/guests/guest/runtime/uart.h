// The serial line: a 16550, polled.
#ifndef UART_H
#define UART_H

void uart_initialise(void);
void uart_put(char byte);

#endif
