// A request: an identifier of the client's choice, a command, its arguments.
#ifndef REQUEST_H
#define REQUEST_H

#include <stdint.h>

#include "line.h"

#define NAME_BYTES_MAX 16u

enum command { COMMAND_PUT, COMMAND_GET, COMMAND_INCREMENT, COMMAND_SUM, COMMAND_QUIT };

// A key or an identifier: letters, digits, `.`, `_` and `-`. Zeros follow the text.
struct name {
  char text[NAME_BYTES_MAX + 1];
};

struct request {
  struct name id; // `?` where the line has none that is valid
  enum command command;
  struct name key;
  uint32_t value;
};

// Says what is wrong with the request, NULL where nothing is. The identifier is read in any case.
const char *request_read(struct request *request, const struct line *line);

#endif
