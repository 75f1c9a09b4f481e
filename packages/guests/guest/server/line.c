#include "line.h"

#include "receiver.h"

#define END_OF_TRANSMISSION 4

static int input_ended;

void line_read(struct line *line) {
  uint32_t bytes = 0; // of the whole line, however much of it fits
  line->end = LINE_COMPLETE;
  while (!input_ended) {
    const char byte = receiver_take();
    if (byte == '\n') break;
    input_ended = byte == END_OF_TRANSMISSION;
    if (input_ended) {
      line->end = bytes == 0 ? LINE_NONE : LINE_UNFINISHED;
    } else if (bytes++ < LINE_BYTES_MAX) {
      line->text[bytes - 1] = byte;
    } else {
      line->end = LINE_TOO_LONG;
    }
  }
  if (bytes == 0 && input_ended) line->end = LINE_NONE;
  if (bytes > LINE_BYTES_MAX) bytes = LINE_BYTES_MAX;
  if (line->end == LINE_COMPLETE && bytes > 0 && line->text[bytes - 1] == '\r') bytes--;
  line->text[bytes] = '\0';
}
