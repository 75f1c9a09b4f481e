// Text on the serial line. Machine mode only.
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

void print(const char *text);
void print_hex(uint32_t value); // eight digits

// In at least `width` columns, filled with blanks on the left.
void print_decimal(uint32_t value, uint32_t width);

// In at least `width` columns, filled with blanks on the right.
void print_padded(const char *text, uint32_t width);

// Starts a new line unless one has just been started.
void print_line_start(void);

#endif
