// A flow in a network: the greatest one by Dinic's method, compared with the smallest cut.
#include "program.h"

#define LAYERS 16u
#define WIDTH 160u
#define FANOUT 8u
#define NODES (LAYERS * WIDTH + 2)
#define ARCS (2 * (WIDTH * 2 + (LAYERS - 1) * WIDTH * FANOUT))
#define SOURCE (NODES - 2)
#define SINK (NODES - 1)
#define NO_ARC 0xFFFFFFFFu
#define UNSEEN 0xFFFFFFFFu

const char program_name[] = "flow";
uint32_t program_rounds = 8;

// Arc i and arc i ^ 1 are the two directions of one.
struct arc {
  uint32_t to;
  uint32_t capacity; // what is left of it
  uint32_t next; // of the same node
};

static struct arc arcs[ARCS];
static uint32_t count;
static uint32_t first[NODES];
static uint32_t current[NODES]; // the arc that is tried next
static uint32_t level[NODES];
static uint32_t queue[NODES];

static void connect(uint32_t from, uint32_t to, uint32_t capacity) {
  arcs[count] = (struct arc){to, capacity, first[from]};
  first[from] = count++;
  arcs[count] = (struct arc){from, 0, first[to]};
  first[to] = count++;
}

static void build(uint32_t seed) {
  count = 0;
  for (uint32_t i = 0; i < NODES; i++) first[i] = NO_ARC;
  for (uint32_t i = 0; i < WIDTH; i++) {
    connect(SOURCE, i, 200 + program_random(&seed) % 400);
    connect((LAYERS - 1) * WIDTH + i, SINK, 200 + program_random(&seed) % 400);
  }
  for (uint32_t layer = 0; layer + 1 < LAYERS; layer++) {
    for (uint32_t i = 0; i < WIDTH * FANOUT; i++) {
      const uint32_t to = (layer + 1) * WIDTH + program_random(&seed) % WIDTH;
      connect(layer * WIDTH + i % WIDTH, to, 1 + program_random(&seed) % 90);
    }
  }
}

// Levels by breadth; gives whether the sink is reached.
static int find_levels(void) {
  for (uint32_t i = 0; i < NODES; i++) level[i] = UNSEEN;
  uint32_t taken = 0;
  uint32_t waiting = 0;
  level[SOURCE] = 0;
  queue[waiting++] = SOURCE;
  while (taken < waiting) {
    const uint32_t node = queue[taken++];
    for (uint32_t arc = first[node]; arc != NO_ARC; arc = arcs[arc].next) {
      const uint32_t to = arcs[arc].to;
      if (arcs[arc].capacity == 0 || level[to] != UNSEEN) continue;
      level[to] = level[node] + 1;
      queue[waiting++] = to;
    }
  }
  return level[SINK] != UNSEEN;
}

// One path to the sink by the levels: its arcs are in `queue`. Gives what it takes, 0 if no path is left.
static uint32_t find_path(void) {
  uint32_t depth = 0;
  uint32_t node = SOURCE;
  while (node != SINK) {
    uint32_t arc = current[node];
    while (arc != NO_ARC && (arcs[arc].capacity == 0 || level[arcs[arc].to] != level[node] + 1)) arc = arcs[arc].next;
    current[node] = arc;
    if (arc != NO_ARC) {
      queue[depth++] = arc;
      node = arcs[arc].to;
      continue;
    }
    if (depth == 0) return 0;
    node = arcs[queue[--depth] ^ 1].to;
    current[node] = arcs[current[node]].next;
  }
  uint32_t least = arcs[queue[0]].capacity;
  for (uint32_t i = 1; i < depth; i++) {
    if (arcs[queue[i]].capacity < least) least = arcs[queue[i]].capacity;
  }
  for (uint32_t i = 0; i < depth; i++) {
    arcs[queue[i]].capacity -= least;
    arcs[queue[i] ^ 1].capacity += least;
  }
  return least;
}

// What the arcs carry that lead from nodes that the source still reaches to others.
static uint32_t cut(void) {
  uint32_t sum = 0;
  for (uint32_t arc = 0; arc < count; arc += 2) {
    const uint32_t from = arcs[arc ^ 1].to;
    if (level[from] != UNSEEN && level[arcs[arc].to] == UNSEEN) sum += arcs[arc ^ 1].capacity;
  }
  return sum;
}

uint32_t program_round(uint32_t round) {
  build(round + 5);
  uint32_t flow = 0;
  uint32_t paths = 0;
  while (find_levels()) {
    for (uint32_t i = 0; i < NODES; i++) current[i] = first[i];
    for (uint32_t more; (more = find_path()) != 0; paths++) flow += more;
  }
  return flow == cut() ? program_digest(flow, paths) : 0;
}
