// Sorting: the same numbers by quicksort, heapsort, Shell's method and by radix, with functions that compare.
#include "program.h"

#define ITEMS 3000

const char program_name[] = "sorting";
uint32_t program_rounds = 90;

typedef int (*comparison)(uint32_t, uint32_t);

static uint32_t items[ITEMS];
static uint32_t others[ITEMS];

static int ascending(uint32_t a, uint32_t b) {
  return a < b;
}

static int by_low_half(uint32_t a, uint32_t b) {
  const uint32_t x = a << 16 | a >> 16;
  const uint32_t y = b << 16 | b >> 16;
  return x < y;
}

static void quicksort(uint32_t *list, int32_t low, int32_t high, comparison less) {
  while (low < high) {
    const uint32_t pivot = list[low + (high - low) / 2];
    int32_t i = low - 1;
    int32_t j = high + 1;
    for (;;) {
      do i++;
      while (less(list[i], pivot));
      do j--;
      while (less(pivot, list[j]));
      if (i >= j) break;
      const uint32_t item = list[i];
      list[i] = list[j];
      list[j] = item;
    }
    quicksort(list, low, j, less);
    low = j + 1;
  }
}

static void sift(uint32_t *heap, uint32_t root, uint32_t size) {
  const uint32_t item = heap[root];
  for (uint32_t child; (child = 2 * root + 1) < size; root = child) {
    if (child + 1 < size && heap[child] < heap[child + 1]) child++;
    if (item >= heap[child]) break;
    heap[root] = heap[child];
  }
  heap[root] = item;
}

static void heapsort(uint32_t *list, uint32_t size) {
  for (uint32_t i = size / 2; i-- > 0;) sift(list, i, size);
  for (uint32_t i = size; i-- > 1;) {
    const uint32_t item = list[0];
    list[0] = list[i];
    list[i] = item;
    sift(list, 0, i);
  }
}

static void shellsort(uint32_t *list, uint32_t size) {
  static const uint32_t gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
  for (uint32_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
    const uint32_t gap = gaps[g];
    for (uint32_t i = gap; i < size; i++) {
      const uint32_t item = list[i];
      uint32_t j = i;
      for (; j >= gap && list[j - gap] > item; j -= gap) list[j] = list[j - gap];
      list[j] = item;
    }
  }
}

static void radixsort(uint32_t *list, uint32_t *spare, uint32_t size) {
  for (uint32_t shift = 0; shift < 32; shift += 8) {
    uint32_t starts[257] = {0};
    for (uint32_t i = 0; i < size; i++) starts[(list[i] >> shift & 255) + 1]++;
    for (uint32_t i = 1; i < 257; i++) starts[i] += starts[i - 1];
    for (uint32_t i = 0; i < size; i++) spare[starts[list[i] >> shift & 255]++] = list[i];
    uint32_t *const swapped = list;
    list = spare;
    spare = swapped;
  }
}

static void fill(uint32_t seed) {
  for (uint32_t i = 0; i < ITEMS; i++) items[i] = program_random(&seed);
}

static uint32_t digest_of(uint32_t digest) {
  for (uint32_t i = 0; i < ITEMS; i += 7) digest = program_digest(digest, items[i]);
  return digest;
}

uint32_t program_round(uint32_t round) {
  const uint32_t seed = 99 + round;
  uint32_t digest = 0;
  fill(seed);
  quicksort(items, 0, ITEMS - 1, ascending);
  digest = digest_of(digest);
  quicksort(items, 0, ITEMS - 1, by_low_half);
  digest = digest_of(digest);
  heapsort(items, ITEMS);
  digest = digest_of(digest);
  fill(seed + 1);
  shellsort(items, ITEMS);
  digest = digest_of(digest);
  fill(seed + 2);
  radixsort(items, others, ITEMS);
  return digest_of(digest);
}
