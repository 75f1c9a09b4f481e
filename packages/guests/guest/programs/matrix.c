// Matrices of integers: a product, a determinant modulo a prime, and a convolution.
#include "program.h"

#define SIZE 40
#define PRIME 65521u

const char program_name[] = "matrix";
uint32_t program_rounds = 320;

typedef uint32_t matrix[SIZE][SIZE];

static matrix a;
static matrix b;
static matrix product;

static void fill(matrix to, uint32_t *seed) {
  for (uint32_t i = 0; i < SIZE; i++) {
    for (uint32_t j = 0; j < SIZE; j++) to[i][j] = program_random(seed) % PRIME;
  }
}

static void multiply(void) {
  for (uint32_t i = 0; i < SIZE; i++) {
    for (uint32_t j = 0; j < SIZE; j++) {
      uint32_t sum = 0;
      for (uint32_t k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
      product[i][j] = sum % PRIME;
    }
  }
}

static uint32_t power(uint32_t base, uint32_t exponent) {
  uint32_t result = 1;
  for (; exponent != 0; exponent >>= 1, base = base * base % PRIME) {
    if ((exponent & 1) != 0) result = result * base % PRIME;
  }
  return result;
}

// By elimination; what is in the matrix is lost.
static uint32_t determinant(matrix of) {
  uint32_t value = 1;
  for (uint32_t i = 0; i < SIZE; i++) {
    uint32_t pivot = i;
    while (pivot < SIZE && of[pivot][i] == 0) pivot++;
    if (pivot == SIZE) return 0;
    for (uint32_t j = 0; pivot != i && j < SIZE; j++) {
      const uint32_t item = of[i][j];
      of[i][j] = of[pivot][j];
      of[pivot][j] = item;
    }
    if (pivot != i) value = PRIME - value;
    value = value * of[i][i] % PRIME;
    const uint32_t inverse = power(of[i][i], PRIME - 2);
    for (uint32_t k = i + 1; k < SIZE; k++) {
      const uint32_t factor = PRIME - of[k][i] * inverse % PRIME;
      for (uint32_t j = i; j < SIZE; j++) of[k][j] = (of[k][j] + factor * of[i][j]) % PRIME;
    }
  }
  return value;
}

static void convolve(void) {
  static const int32_t kernel[3][3] = {{1, 2, 1}, {2, -12, 2}, {1, 2, 1}};
  for (uint32_t i = 1; i + 1 < SIZE; i++) {
    for (uint32_t j = 1; j + 1 < SIZE; j++) {
      int32_t sum = 0;
      for (uint32_t k = 0; k < 3; k++) {
        for (uint32_t l = 0; l < 3; l++) sum += kernel[k][l] * (int32_t)product[i + k - 1][j + l - 1];
      }
      b[i][j] = (uint32_t)(sum / 16);
    }
  }
}

uint32_t program_round(uint32_t round) {
  uint32_t seed = round + 21;
  fill(a, &seed);
  fill(b, &seed);
  multiply();
  convolve();
  uint32_t digest = round;
  for (uint32_t i = 0; i < SIZE; i++) digest = program_digest(digest, product[i][SIZE - 1 - i] ^ b[i][i]);
  return program_digest(digest, determinant(product));
}
