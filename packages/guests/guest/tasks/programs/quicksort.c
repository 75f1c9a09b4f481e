// Sorts pseudo-random numbers, and checks that they are in order and still the same ones.
#include "crc32.h"
#include "programs.h"
#include "random.h"
#include "systemCalls.h"

#define COUNT 16384u
#define SMALL 12 // up to here insertion is faster

static void insertion_sort(uint32_t *numbers, int32_t count) {
  for (int32_t i = 1; i < count; i++) {
    const uint32_t number = numbers[i];
    int32_t place = i;
    for (; place > 0 && numbers[place - 1] > number; place--) numbers[place] = numbers[place - 1];
    numbers[place] = number;
  }
}

// Splits so that nothing in [0, result) is greater than anything behind it (Hoare).
static int32_t split(uint32_t *numbers, int32_t count) {
  const uint32_t pivot = numbers[(count - 1) / 2];
  int32_t low = -1;
  int32_t high = count;
  for (;;) {
    do low++;
    while (numbers[low] < pivot);
    do high--;
    while (numbers[high] > pivot);
    if (low >= high) return high + 1;
    const uint32_t swapped = numbers[low];
    numbers[low] = numbers[high];
    numbers[high] = swapped;
  }
}

static void sort(uint32_t *numbers, int32_t count) {
  // The smaller part by recursion, the larger in the loop: so the stack stays shallow.
  while (count > SMALL) {
    const int32_t middle = split(numbers, count);
    if (middle <= count - middle) {
      sort(numbers, middle);
      numbers += middle;
      count -= middle;
    } else {
      sort(numbers + middle, count - middle);
      count = middle;
    }
  }
  insertion_sort(numbers, count);
}

static uint32_t run(void *own, uint32_t seed) {
  uint32_t *const numbers = own;
  uint32_t sum = 0;
  uint32_t sum_of_squares = 0;
  for (uint32_t i = 0; i < COUNT; i++) {
    numbers[i] = random_next(&seed);
    sum += numbers[i];
    sum_of_squares += numbers[i] * numbers[i];
  }
  sort(numbers, COUNT);
  for (uint32_t i = 0; i < COUNT; i++) {
    if (i > 0 && numbers[i - 1] > numbers[i]) fail("the numbers are not in order");
    sum -= numbers[i];
    sum_of_squares -= numbers[i] * numbers[i];
  }
  if (sum != 0 || sum_of_squares != 0) fail("the sorted numbers are not those that were to be sorted");
  return crc32_append(0, numbers, COUNT * sizeof(uint32_t));
}

const struct program quicksort = {"quicksort", COUNT * sizeof(uint32_t), 0x901C5003, run};
