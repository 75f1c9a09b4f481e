// The product of two matrices modulo 2^32, checked as Freivalds does: A (B v) = C v for a random vector v.
#include "crc32.h"
#include "programs.h"
#include "random.h"
#include "systemCalls.h"

#define SIZE 64u

typedef uint32_t matrix_rows[SIZE][SIZE];
typedef uint32_t vector[SIZE];

struct memory {
  matrix_rows left;
  matrix_rows right;
  matrix_rows product;
};

static void fill(matrix_rows rows, uint32_t *seed) {
  for (uint32_t row = 0; row < SIZE; row++) {
    for (uint32_t column = 0; column < SIZE; column++) rows[row][column] = random_next(seed);
  }
}

static void multiply(struct memory *memory) {
  for (uint32_t row = 0; row < SIZE; row++) {
    for (uint32_t column = 0; column < SIZE; column++) {
      uint32_t sum = 0;
      for (uint32_t i = 0; i < SIZE; i++) sum += memory->left[row][i] * memory->right[i][column];
      memory->product[row][column] = sum;
    }
  }
}

static void apply(matrix_rows rows, const uint32_t *to, uint32_t *result) {
  for (uint32_t row = 0; row < SIZE; row++) {
    result[row] = 0;
    for (uint32_t i = 0; i < SIZE; i++) result[row] += rows[row][i] * to[i];
  }
}

static uint32_t run(void *own, uint32_t seed) {
  struct memory *const memory = own;
  vector random;
  vector by_right;
  vector by_both;
  vector by_product;
  fill(memory->left, &seed);
  fill(memory->right, &seed);
  multiply(memory);
  for (uint32_t i = 0; i < SIZE; i++) random[i] = random_next(&seed);
  apply(memory->right, random, by_right);
  apply(memory->left, by_right, by_both);
  apply(memory->product, random, by_product);
  for (uint32_t i = 0; i < SIZE; i++) {
    if (by_both[i] != by_product[i]) fail("the product of the matrices is wrong");
  }
  return crc32_append(0, memory->product, sizeof memory->product);
}

const struct program matrix = {"matrix", sizeof(struct memory), 0x3A781C02, run};
