// A front end of a compiler: reads functions, builds their trees in an arena, folds constants, makes code for a stack
// machine, and compares what the code gives with what the tree gives.
#include <stddef.h>

#include "program.h"

#define TEXT_BYTES 8192u
#define ARENA_BYTES (6u * 1024 * 1024)
#define CODE_WORDS 4096u
#define STACK 64u
#define DEPTH 5

const char program_name[] = "frontend";
uint32_t program_rounds = 1500;

enum kind { NUMBER, PARAMETER, OPERATION };

struct tree {
  uint32_t kind;
  uint32_t value; // the number, the parameter, or the character of the operation
  struct tree *left;
  struct tree *right;
};

static char text[TEXT_BYTES];
static uint32_t length;
static const char *at;
// Trees are never released: as a compiler does from file to file, the arena goes on, and begins again at its end.
static uint8_t arena[ARENA_BYTES] __attribute__((aligned(16)));
static uint32_t arena_used;
static uint32_t code[CODE_WORDS];
static uint32_t code_length;

static void put(char character) {
  if (length < TEXT_BYTES - 1) text[length++] = character;
}

static void write_expression(uint32_t *seed, uint32_t depth) {
  const uint32_t chance = program_random(seed);
  if (depth == 0 || chance % 8 == 0) {
    if (chance >> 8 & 1) {
      put((char)('p' + (chance >> 9) % 4));
    } else {
      put((char)('1' + (chance >> 9) % 9));
      put((char)('0' + (chance >> 13) % 10));
    }
    return;
  }
  put('(');
  write_expression(seed, depth - 1);
  put("+-*&|^"[(chance >> 3) % 6]);
  write_expression(seed, depth - 1);
  put(')');
}

static struct tree *make(enum kind kind, uint32_t value, struct tree *left, struct tree *right) {
  if (arena_used + sizeof(struct tree) > ARENA_BYTES) arena_used = 0;
  struct tree *const tree = (struct tree *)(void *)&arena[arena_used];
  arena_used += sizeof *tree;
  tree->kind = kind;
  tree->value = value;
  tree->left = left;
  tree->right = right;
  return tree;
}

static struct tree *parse(void) {
  if (*at == '(') {
    at++;
    struct tree *const left = parse();
    const char operation = *at++;
    struct tree *const right = parse();
    at++;
    return make(OPERATION, (uint32_t)operation, left, right);
  }
  if (*at >= 'p') return make(PARAMETER, (uint32_t)(*at++ - 'p'), NULL, NULL);
  uint32_t number = 0;
  while (*at >= '0' && *at <= '9') number = number * 10 + (uint32_t)(*at++ - '0');
  return make(NUMBER, number, NULL, NULL);
}

static uint32_t applied(uint32_t operation, uint32_t left, uint32_t right) {
  switch (operation) {
    case '+': return left + right;
    case '-': return left - right;
    case '*': return left * right;
    case '&': return left & right;
    case '|': return left | right;
    default: return left ^ right;
  }
}

// A tree without operations on two numbers; what does not change is shared with the old one.
static struct tree *folded(struct tree *tree) {
  if (tree->kind != OPERATION) return tree;
  struct tree *const left = folded(tree->left);
  struct tree *const right = folded(tree->right);
  if (left->kind == NUMBER && right->kind == NUMBER) {
    return make(NUMBER, applied(tree->value, left->value, right->value), NULL, NULL);
  }
  return left == tree->left && right == tree->right ? tree : make(OPERATION, tree->value, left, right);
}

static uint32_t evaluated(const struct tree *tree, const uint32_t *parameters) {
  if (tree->kind == NUMBER) return tree->value;
  if (tree->kind == PARAMETER) return parameters[tree->value];
  return applied(tree->value, evaluated(tree->left, parameters), evaluated(tree->right, parameters));
}

static void generate(const struct tree *tree) {
  if (tree->kind == OPERATION) {
    generate(tree->left);
    generate(tree->right);
  }
  code[code_length++] = tree->kind;
  code[code_length++] = tree->value;
}

static uint32_t executed(const uint32_t *parameters) {
  uint32_t stack[STACK];
  uint32_t depth = 0;
  for (uint32_t i = 0; i < code_length; i += 2) {
    if (code[i] == OPERATION) {
      depth--;
      stack[depth - 1] = applied(code[i + 1], stack[depth - 1], stack[depth]);
    } else {
      stack[depth++] = code[i] == NUMBER ? code[i + 1] : parameters[code[i + 1]];
    }
  }
  return stack[0];
}

// Sixteen functions of a file.
uint32_t program_round(uint32_t round) {
  uint32_t seed = round + 1;
  uint32_t digest = 0;
  for (uint32_t function = 0; function < 16; function++) {
    const uint32_t parameters[4] = {round, function, seed, 7};
    length = 0;
    write_expression(&seed, DEPTH);
    text[length] = '\0';
    at = text;
    const struct tree *const whole = parse();
    const uint32_t value = evaluated(whole, parameters);
    const struct tree *const short_one = folded((struct tree *)(size_t)whole);
    code_length = 0;
    generate(short_one);
    if (executed(parameters) != value) return 0;
    digest = program_digest(digest, value ^ code_length);
  }
  return digest;
}
