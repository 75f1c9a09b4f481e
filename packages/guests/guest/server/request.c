#include "request.h"

#include <stddef.h>

#include "memory.h"

#define WORDS_MAX 4u
#define DECIMAL_LAST_MAX (UINT32_MAX / 10)

struct words {
  struct word {
    const char *text;
    uint32_t bytes;
  } words[WORDS_MAX];
  uint32_t count; // may be more than there is room for
};

static const struct {
  const char *name;
  uint32_t arguments;
} commands[] = {
    [COMMAND_PUT] = {"put", 2}, [COMMAND_GET] = {"get", 1},   [COMMAND_INCREMENT] = {"incr", 1},
    [COMMAND_SUM] = {"sum", 0}, [COMMAND_QUIT] = {"quit", 0},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void split(struct words *words, const char *text) {
  words->count = 0;
  for (;;) {
    while (*text == ' ') text++;
    if (*text == '\0') return;
    const char *const start = text;
    while (*text != ' ' && *text != '\0') text++;
    if (words->count < WORDS_MAX) words->words[words->count] = (struct word){start, (uint32_t)(text - start)};
    words->count++;
  }
}

static int is_name_character(char character) {
  const char letter = (char)(character | ('a' - 'A'));
  return (letter >= 'a' && letter <= 'z') || (character >= '0' && character <= '9') || character == '.' ||
         character == '_' || character == '-';
}

static int read_name(struct name *name, const struct word *word) {
  if (word->bytes > NAME_BYTES_MAX) return 0;
  for (uint32_t i = 0; i < word->bytes; i++) {
    if (!is_name_character(word->text[i])) return 0;
  }
  memset(name->text, 0, sizeof name->text);
  memcpy(name->text, word->text, word->bytes);
  return 1;
}

static int read_value(uint32_t *value, const struct word *word) {
  uint32_t read = 0;
  for (uint32_t i = 0; i < word->bytes; i++) {
    const uint32_t digit = (uint32_t)(word->text[i] - '0');
    if (digit > 9 || read > DECIMAL_LAST_MAX || 10 * read > UINT32_MAX - digit) return 0;
    read = 10 * read + digit;
  }
  *value = read;
  return 1;
}

static int is_named(const char *name, const struct word *word) {
  uint32_t i = 0;
  while (i < word->bytes && name[i] == word->text[i]) i++;
  return i == word->bytes && name[i] == '\0';
}

static int read_command(enum command *command, const struct word *word) {
  for (uint32_t i = 0; i < COMMANDS; i++) {
    if (!is_named(commands[i].name, word)) continue;
    *command = (enum command)i;
    return 1;
  }
  return 0;
}

static const char *read_words(struct request *request, const struct words *words) {
  if (words->count == 1) return "there is no command";
  if (!read_command(&request->command, &words->words[1])) return "unknown command";
  const uint32_t arguments = commands[request->command].arguments;
  if (words->count - 2 < arguments) return "too few arguments";
  if (words->count - 2 > arguments) return "too many arguments";
  if (arguments > 0 && !read_name(&request->key, &words->words[2])) return "bad key";
  if (arguments > 1 && !read_value(&request->value, &words->words[3])) return "bad value";
  return NULL;
}

const char *request_read(struct request *request, const struct line *line) {
  struct words words;
  split(&words, line->text);
  request->id = (struct name){"?"};
  // The first word of a line that was cut off may have been cut off, too.
  const int has_id = words.count > 0 && read_name(&request->id, &words.words[0]);
  if (line->end == LINE_TOO_LONG) return "the line is too long";
  if (line->end == LINE_UNFINISHED) return "the line is unfinished";
  if (words.count == 0) return "the line is empty";
  if (!has_id) return "bad identifier";
  return read_words(request, &words);
}
