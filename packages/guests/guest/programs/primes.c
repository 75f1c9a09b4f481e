// Integer arithmetic: counts the primes of a stretch by the test of Miller and Rabin, with Montgomery's multiplication.
#include "program.h"

#define STRETCH 400

const char program_name[] = "primes";
uint32_t program_rounds = 450;

// The inverse of an odd number, modulo 2^32, with the sign changed.
static uint32_t negative_inverse(uint32_t odd) {
  uint32_t inverse = odd;
  for (int i = 0; i < 4; i++) inverse *= 2 - odd * inverse;
  return 0 - inverse;
}

static uint32_t reduce(uint64_t value, uint32_t modulus, uint32_t inverse) {
  const uint32_t factor = (uint32_t)value * inverse;
  const uint64_t product = (uint64_t)factor * modulus;
  const uint32_t carry = (uint32_t)value != 0;
  const uint64_t sum = (value >> 32) + (product >> 32) + carry;
  return sum >= modulus ? (uint32_t)(sum - modulus) : (uint32_t)sum;
}

static uint32_t multiply(uint32_t a, uint32_t b, uint32_t modulus, uint32_t inverse) {
  return reduce((uint64_t)a * b, modulus, inverse);
}

// `value` times 2^32, by doubling: there is no division of 64 bits.
static uint32_t to_montgomery(uint32_t value, uint32_t modulus) {
  uint32_t result = value % modulus;
  for (int i = 0; i < 32; i++) {
    const uint32_t rest = modulus - result;
    result = result >= rest ? result - rest : result + result;
  }
  return result;
}

static int is_witness(uint32_t base, uint32_t number, uint32_t inverse) {
  const uint32_t one = to_montgomery(1, number);
  const uint32_t minus_one = number - one;
  uint32_t odd = number - 1;
  uint32_t twos = 0;
  for (; (odd & 1) == 0; odd >>= 1) twos++;
  uint32_t power = one;
  for (uint32_t square = to_montgomery(base, number); odd != 0; odd >>= 1) {
    if ((odd & 1) != 0) power = multiply(power, square, number, inverse);
    square = multiply(square, square, number, inverse);
  }
  if (power == one || power == minus_one) return 0;
  for (; twos > 1; twos--) {
    power = multiply(power, power, number, inverse);
    if (power == minus_one) return 0;
  }
  return 1;
}

static int is_prime(uint32_t number) {
  static const uint32_t bases[] = {2, 7, 61};
  const uint32_t inverse = negative_inverse(number);
  for (uint32_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
    if (is_witness(bases[i], number, inverse)) return 0;
  }
  return 1;
}

uint32_t program_round(uint32_t round) {
  const uint32_t first = 0x70000001u + 0x10001u * 2 * round;
  uint32_t digest = round;
  for (uint32_t number = first; number < first + 2 * STRETCH; number += 2) {
    if (is_prime(number)) digest = program_digest(digest, number);
  }
  return digest;
}
