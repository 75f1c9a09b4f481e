// Lines of the input.
#ifndef LINE_H
#define LINE_H

#include <stdint.h>

#define LINE_BYTES_MAX 80u

enum line_end {
  LINE_COMPLETE,
  LINE_TOO_LONG,   // `text` is its beginning
  LINE_UNFINISHED, // the input ended within it
  LINE_NONE,       // the input has ended
};

struct line {
  char text[LINE_BYTES_MAX + 1];
  enum line_end end;
};

// Waits for the next line. It ends with a line feed, before which a carriage return may stand; neither is part of it.
// The input ends with the control character EOT (Ctrl-D, 4).
void line_read(struct line *line);

#endif
