// An interpreter: bytecode that builds, reverses and adds up lists, on a heap that a copying collector keeps.
#include "program.h"

#define CELLS 65536u // in each of the two halves of the heap
#define ROOTS 64u
#define STACK 16u
#define LIST 400
#define NONE 0u // as a reference: no cell

const char program_name[] = "bytecode";
uint32_t program_rounds = 40;

struct cell {
  uint32_t first; // a number
  uint32_t rest; // the number of a cell
};

static struct cell halves[2][CELLS];
static struct cell *heap = halves[0];
static uint32_t used; // cell 0 is none
static uint32_t roots[ROOTS]; // the lists that are kept
static uint32_t stack[STACK];
static uint32_t references; // a bit for each entry of the stack that refers to a cell
static uint32_t variables[4];
static uint32_t variable_references;

enum operation { PUSH, NIL, LOAD, STORE, CONS, FIRST, REST, ADD, SUB, JUMP_IF, JUMP, KEEP, STOP };

// Variables: 0 a counter, 1 a list, 2 the reversed list, 3 a sum.
static const int16_t program[] = {
  /*  0 */ NIL, STORE, 1, PUSH, LIST, STORE, 0, // the list is empty, the counter is its length
  /*  7 */ LOAD, 0, LOAD, 3, ADD, LOAD, 1, CONS, STORE, 1, // list = (counter + sum) : list
  /* 17 */ LOAD, 0, PUSH, 1, SUB, STORE, 0, LOAD, 0, JUMP_IF, 7, // until the counter is 0
  /* 28 */ NIL, STORE, 2,
  /* 31 */ LOAD, 1, FIRST, LOAD, 2, CONS, STORE, 2, // reversed = first of list : reversed
  /* 39 */ LOAD, 1, REST, STORE, 1, LOAD, 1, JUMP_IF, 31,
  /* 48 */ PUSH, 0, STORE, 3, LOAD, 2, STORE, 1,
  /* 56 */ LOAD, 3, LOAD, 1, FIRST, ADD, STORE, 3, // sum = sum + first of list
  /* 64 */ LOAD, 1, REST, STORE, 1, LOAD, 1, JUMP_IF, 56,
  /* 73 */ LOAD, 2, KEEP, STOP,
};

// Moves a list into the other half, but for what was moved already. A cell that was moved has its new place in `rest`,
// with the highest bit set.
static uint32_t moved(struct cell *to, uint32_t *end, uint32_t list) {
  uint32_t first = NONE;
  uint32_t *link = &first;
  while (list != NONE) {
    struct cell *const old = &heap[list];
    if ((old->rest & 0x80000000u) != 0) {
      *link = old->rest & 0x7FFFFFFFu;
      return first;
    }
    const uint32_t place = (*end)++;
    to[place].first = old->first;
    to[place].rest = NONE;
    *link = place;
    link = &to[place].rest;
    list = old->rest;
    old->rest = 0x80000000u | place;
  }
  return first;
}

static void collect(uint32_t depth) {
  struct cell *const to = heap == halves[0] ? halves[1] : halves[0];
  uint32_t end = 1;
  for (uint32_t i = 0; i < ROOTS; i++) roots[i] = moved(to, &end, roots[i]);
  for (uint32_t i = 0; i < depth; i++) {
    if ((references >> i & 1) != 0) stack[i] = moved(to, &end, stack[i]);
  }
  for (uint32_t i = 0; i < 4; i++) {
    if ((variable_references >> i & 1) != 0) variables[i] = moved(to, &end, variables[i]);
  }
  heap = to;
  used = end;
}

// Gives the number of operations.
static uint32_t interpret(uint32_t root) {
  uint32_t depth = 0;
  uint32_t count = 0;
  for (const int16_t *at = program;; count++) {
    switch ((enum operation)*at++) {
      case PUSH:
        references &= ~(1u << depth);
        stack[depth++] = (uint32_t)*at++;
        break;
      case NIL:
        references |= 1u << depth;
        stack[depth++] = NONE;
        break;
      case LOAD:
        references = (references & ~(1u << depth)) | (variable_references >> *at & 1) << depth;
        stack[depth++] = variables[*at++];
        break;
      case STORE:
        depth--;
        variable_references = (variable_references & ~(1u << *at)) | (references >> depth & 1) << *at;
        variables[*at++] = stack[depth];
        break;
      case CONS:
        if (used == CELLS) collect(depth);
        heap[used].rest = stack[--depth];
        heap[used].first = stack[depth - 1];
        references |= 1u << (depth - 1);
        stack[depth - 1] = used++;
        break;
      case FIRST:
        references &= ~(1u << (depth - 1));
        stack[depth - 1] = heap[stack[depth - 1]].first;
        break;
      case REST:
        stack[depth - 1] = heap[stack[depth - 1]].rest;
        break;
      case ADD:
        depth--;
        stack[depth - 1] += stack[depth];
        break;
      case SUB:
        depth--;
        stack[depth - 1] -= stack[depth];
        break;
      case JUMP_IF:
        at = stack[--depth] != 0 ? program + *at : at + 1;
        break;
      case JUMP:
        at = program + *at;
        break;
      case KEEP:
        roots[root % ROOTS] = stack[--depth];
        break;
      case STOP:
        return count;
    }
  }
}

// 25 lists, of which the last 64 are kept.
uint32_t program_round(uint32_t round) {
  if (used == 0) used = 1;
  uint32_t digest = 0;
  variables[3] = round;
  for (uint32_t i = 0; i < 25; i++) {
    digest = program_digest(digest, interpret(round * 25 + i));
    digest = program_digest(digest, variables[3]);
  }
  for (uint32_t list = roots[round % ROOTS]; list != NONE; list = heap[list].rest) {
    digest = program_digest(digest, heap[list].first);
  }
  return digest;
}
