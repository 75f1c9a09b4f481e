// Path finding: shortest ways by A* over a map of 1024 x 1024 fields, each between two places not far from each other.
#include "program.h"

#define SIDE 1024u
#define FIELDS (SIDE * SIDE)
#define REACH 160u
#define QUEUE 65536u
#define NO_WAY 0xFFFFu

const char program_name[] = "paths";
uint32_t program_rounds = 20;

struct entry {
  uint32_t estimate;
  uint32_t field;
};

static uint8_t height[FIELDS];
// Number of the search that wrote it, and the length of the way there: so nothing is cleared from search to search.
static uint32_t ways[FIELDS];
static struct entry queue[QUEUE];
static uint32_t waiting;

static uint32_t far(uint32_t one, uint32_t other) {
  const uint32_t x = one % SIDE;
  const uint32_t y = one / SIDE;
  const uint32_t u = other % SIDE;
  const uint32_t v = other / SIDE;
  return (x > u ? x - u : u - x) + (y > v ? y - v : v - y);
}

static void push(uint32_t estimate, uint32_t field) {
  uint32_t place = waiting++;
  while (place > 0 && queue[(place - 1) / 2].estimate > estimate) {
    queue[place] = queue[(place - 1) / 2];
    place = (place - 1) / 2;
  }
  queue[place] = (struct entry){estimate, field};
}

static struct entry pop(void) {
  const struct entry first = queue[0];
  const struct entry last = queue[--waiting];
  uint32_t place = 0;
  for (uint32_t child; (child = 2 * place + 1) < waiting; place = child) {
    if (child + 1 < waiting && queue[child + 1].estimate < queue[child].estimate) child++;
    if (queue[child].estimate >= last.estimate) break;
    queue[place] = queue[child];
  }
  queue[place] = last;
  return first;
}

static uint32_t way_to(uint32_t field, uint32_t search) {
  return ways[field] >> 16 == search ? ways[field] & 0xFFFF : NO_WAY;
}

static uint32_t neighbour(uint32_t field, uint32_t direction) {
  switch (direction) {
    case 0: return field % SIDE == 0 ? field : field - 1;
    case 1: return field % SIDE == SIDE - 1 ? field : field + 1;
    case 2: return field < SIDE ? field : field - SIDE;
    default: return field >= FIELDS - SIDE ? field : field + SIDE;
  }
}

// The cost of a step to a field.
static uint32_t cost(uint32_t field) {
  return 2 + height[field];
}

static uint32_t shortest(uint32_t from, uint32_t to, uint32_t search, uint32_t *expanded) {
  waiting = 0;
  ways[from] = search << 16;
  push(2 * far(from, to), from);
  while (waiting > 0) {
    const struct entry next = pop();
    const uint32_t way = way_to(next.field, search);
    if (next.field == to) return way;
    if (next.estimate != way + 2 * far(next.field, to)) continue;
    (*expanded)++;
    for (uint32_t direction = 0; direction < 4; direction++) {
      const uint32_t field = neighbour(next.field, direction);
      const uint32_t longer = way + cost(field);
      if (longer >= way_to(field, search) || waiting == QUEUE) continue;
      ways[field] = search << 16 | longer;
      push(longer + 2 * far(field, to), field);
    }
  }
  return NO_WAY;
}

static void make_map(uint32_t seed) {
  for (uint32_t i = 0; i < FIELDS; i++) height[i] = (uint8_t)(program_random(&seed) >> 8 & 7);
}

// One search there and one back. The way back is as long, but for the fields at its ends.
uint32_t program_round(uint32_t round) {
  if (round == 0) make_map(77);
  uint32_t seed = round + 21;
  for (uint32_t i = 0; i < 4; i++) program_random(&seed);
  const uint32_t x = program_random(&seed) % (SIDE - REACH);
  const uint32_t y = program_random(&seed) % (SIDE - REACH);
  const uint32_t from = y * SIDE + x;
  const uint32_t to = (y + program_random(&seed) % REACH) * SIDE + x + program_random(&seed) % REACH;
  uint32_t expanded = 0;
  const uint32_t search = round * 2 % 65534 + 1;
  const uint32_t there = shortest(from, to, search, &expanded);
  const uint32_t back = shortest(to, from, search + 1, &expanded);
  return there + cost(from) == back + cost(to) ? program_digest(there, expanded) : 0;
}
