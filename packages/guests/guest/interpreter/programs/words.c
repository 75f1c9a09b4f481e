// Counts the words of a made-up text: how many different ones there are, and how often the most frequent one occurs.
#include "heap.h"
#include "programs.h"

#define WORDS 12000u
#define SYLLABLES 16u
#define WORD_SYLLABLES_MAX 3u

// A word is the number that its syllables, counted from 1, are the digits of, to the base 17.
static const char text[] =
    "next_word:\n"
    "  load written  push 12000  less  jump_unless done\n"
    "  load written  push 1  add  store written\n"
    "  call shuffle\n"
    "  load input  store random\n"
    "  load random  push 3  remainder  push 1  add  store syllables\n"
    "  push 0  store word\n"
    "next_syllable:\n"
    "  load random  push 4  shift_right  store random\n"
    "  load word  push 17  multiply  load random  push 16  remainder  add  push 1  add  store word\n"
    "  load syllables  push 1  subtract  store syllables\n"
    "  load syllables  jump_if next_syllable\n"
    "  load word  get  store occurrences\n"
    "  load occurrences  jump_if again\n"
    "  load first  push 1  add  store first\n"
    "again:\n"
    "  load occurrences  push 1  add  store occurrences\n"
    "  load word  load occurrences  put\n"
    "  load second  load occurrences  less  jump_unless next_word\n"
    "  load occurrences  store second\n"
    "  jump next_word\n"
    "shuffle: ; Marsaglia's xorshift\n"
    "  load input  load input  push 13  shift_left  xor  store input\n"
    "  load input  load input  push 17  shift_right  xor  store input\n"
    "  load input  load input  push 5  shift_left  xor  store input\n"
    "  return\n"
    "done:\n"
    "  halt\n";

static uint32_t next_random(uint32_t random) {
  random ^= random << 13;
  random ^= random >> 17;
  return random ^ random << 5;
}

static uint32_t word_from(uint32_t random) {
  uint32_t word = 0;
  for (uint32_t syllables = 1 + random % WORD_SYLLABLES_MAX; syllables > 0; syllables--) {
    random >>= 4;
    word = 17 * word + random % SYLLABLES + 1;
  }
  return word;
}

// Lets the word at a place of a heap sink to where it belongs: no word is smaller than those below it.
static void sink(uint32_t *heap, uint32_t count, uint32_t place) {
  const uint32_t word = heap[place];
  for (uint32_t below = 2 * place + 1; below < count; below = 2 * place + 1) {
    if (below + 1 < count && heap[below + 1] > heap[below]) below++;
    if (heap[below] <= word) break;
    heap[place] = heap[below];
    place = below;
  }
  heap[place] = word;
}

static void sort(uint32_t *list, uint32_t count) {
  for (uint32_t place = count / 2; place-- > 0;) sink(list, count, place);
  for (uint32_t end = count; end-- > 1;) {
    const uint32_t largest = list[0];
    list[0] = list[end];
    list[end] = largest;
    sink(list, end, 0);
  }
}

// By sorting them.
static struct results directly(uint32_t random) {
  uint32_t *const list = heap_allocate(WORDS * sizeof *list);
  for (uint32_t i = 0; i < WORDS; i++) {
    random = next_random(random);
    list[i] = word_from(random);
  }
  sort(list, WORDS);
  struct results counted = {0, 0};
  uint32_t run = 0;
  for (uint32_t i = 0; i < WORDS; i++) {
    run = i > 0 && list[i] == list[i - 1] ? run + 1 : 1;
    if (run == 1) counted.first++;
    if (run > counted.second) counted.second = run;
  }
  heap_release(list);
  return counted;
}

const struct workload words = {"words", text, 0x30BD5004, 0x01234567, directly};
