// A search in a game: Kalah by alpha-beta, with a table of positions.
#include "program.h"

#define PITS 6u
#define STORE_SOUTH 6u
#define STORE_NORTH 13u
#define HOLES 14u
#define TABLE (1u << 18)
#define DEPTH 9

const char program_name[] = "kalah";
uint32_t program_rounds = 60;

struct position {
  uint8_t seeds[HOLES];
  uint8_t north; // whose turn it is
};

struct entry {
  uint32_t key;
  uint32_t check;
  int16_t value;
  uint8_t depth;
  uint8_t bound; // 0 exact, 1 at least, 2 at most
  uint32_t round;
};

static struct entry table[TABLE];
static uint32_t nodes;

static void hashes(const struct position *position, uint32_t *key, uint32_t *check) {
  uint32_t one = position->north;
  uint32_t other = 0x1234567u;
  for (uint32_t i = 0; i < HOLES; i++) {
    one = (one ^ position->seeds[i]) * 0x01000193u;
    other = (other + position->seeds[i]) * 0x9E3779B1u;
  }
  *key = one ^ one >> 15;
  *check = other ^ other >> 13;
}

static uint32_t seeds_left(const struct position *position, uint32_t from) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < PITS; i++) sum += position->seeds[from + i];
  return sum;
}

// Sows a pit. Gives the position after it, in which whoever ends in his store has the next turn too.
static struct position sown(struct position position, uint32_t pit) {
  const uint32_t own = position.north != 0 ? 7 : 0;
  const uint32_t store = position.north != 0 ? STORE_NORTH : STORE_SOUTH;
  const uint32_t others = position.north != 0 ? STORE_SOUTH : STORE_NORTH;
  uint32_t hole = own + pit;
  uint32_t seeds = position.seeds[hole];
  position.seeds[hole] = 0;
  while (seeds > 0) {
    hole = hole == HOLES - 1 ? 0 : hole + 1;
    if (hole == others) continue;
    position.seeds[hole]++;
    seeds--;
  }
  if (hole == store) return position;
  if (hole - own < PITS && position.seeds[hole] == 1 && position.seeds[12 - hole] > 0) {
    position.seeds[store] = (uint8_t)(position.seeds[store] + 1 + position.seeds[12 - hole]);
    position.seeds[hole] = position.seeds[12 - hole] = 0;
  }
  position.north ^= 1;
  return position;
}

// By how many seeds whoever has the turn is ahead.
static int32_t lead(const struct position *position) {
  const int32_t south = (int32_t)position->seeds[STORE_SOUTH] - (int32_t)position->seeds[STORE_NORTH];
  return position->north != 0 ? -south : south;
}

static int32_t search(const struct position *position, int32_t alpha, int32_t beta, uint32_t depth, uint32_t round) {
  nodes++;
  const uint32_t own = position->north != 0 ? 7 : 0;
  if (depth == 0 || seeds_left(position, own) == 0) return lead(position);
  uint32_t key;
  uint32_t check;
  hashes(position, &key, &check);
  struct entry *const entry = &table[key % TABLE];
  if (entry->key == key && entry->check == check && entry->depth == depth && entry->round == round) {
    if (entry->bound == 0 || (entry->bound == 1 && entry->value >= beta) || (entry->bound == 2 && entry->value <= alpha)) {
      return entry->value;
    }
  }
  const int32_t low = alpha;
  int32_t best = -1000;
  for (uint32_t pit = PITS; pit-- > 0 && best < beta;) {
    if (position->seeds[own + pit] == 0) continue;
    const struct position next = sown(*position, pit);
    const int32_t value = next.north == position->north ? search(&next, alpha, beta, depth - 1, round)
                                                        : -search(&next, -beta, -alpha, depth - 1, round);
    if (value > best) best = value;
    if (best > alpha) alpha = best;
  }
  *entry = (struct entry){key, check, (int16_t)best, (uint8_t)depth, best >= beta ? 1 : best <= low ? 2 : 0, round};
  return best;
}

// A few random moves, then a search.
uint32_t program_round(uint32_t round) {
  uint32_t seed = round + 11;
  struct position position = {{4, 4, 4, 4, 4, 4, 0, 4, 4, 4, 4, 4, 4, 0}, 0};
  for (uint32_t moves = 0; moves < 5;) {
    const uint32_t pit = program_random(&seed) % PITS;
    if (position.seeds[(position.north != 0 ? 7 : 0) + pit] == 0) continue;
    position = sown(position, pit);
    moves++;
  }
  nodes = 0;
  const int32_t value = search(&position, -100, 100, DEPTH, round + 1);
  return program_digest((uint32_t)value, nodes);
}
