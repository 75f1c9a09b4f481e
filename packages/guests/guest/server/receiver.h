// Bytes from the serial line, taken off it at each tick. The UART itself holds no more than 16.
#ifndef RECEIVER_H
#define RECEIVER_H

// Takes in what the UART holds. Must not be interrupted by itself: it is called at the tick.
void receiver_poll(void);

// The next byte. If none has arrived it waits, and lets the machine be idle until then.
char receiver_take(void);

#endif
