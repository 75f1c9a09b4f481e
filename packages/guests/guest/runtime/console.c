#include "console.h"

#include "uart.h"

#define DECIMAL_DIGITS 10 // of the largest 32-bit number
#define HEX_DIGITS 8

static int within_line;

static void put(char byte) {
  within_line = byte != '\n';
  uart_put(byte);
}

void print(const char *text) {
  while (*text != '\0') put(*text++);
}

void print_hex(uint32_t value) {
  for (uint32_t digit = HEX_DIGITS; digit-- > 0;) put("0123456789abcdef"[value >> (4 * digit) & 15]);
}

void print_decimal(uint32_t value, uint32_t width) {
  char digits[DECIMAL_DIGITS];
  uint32_t count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  for (uint32_t column = count; column < width; column++) put(' ');
  while (count > 0) put(digits[--count]);
}

void print_padded(const char *text, uint32_t width) {
  uint32_t column = 0;
  for (; text[column] != '\0'; column++) put(text[column]);
  for (; column < width; column++) put(' ');
}

void print_line_start(void) {
  if (within_line) put('\n');
}
