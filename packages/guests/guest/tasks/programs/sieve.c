// Primes of a range of odd numbers, by the sieve of Eratosthenes over a bitmap.
#include "crc32.h"
#include "memory.h"
#include "programs.h"
#include "random.h"
#include "systemCalls.h"

#define ODDS (1u << 17) // in the range: one bit each
#define BASE_MAX (1u << 26)
#define ROOT_MAX 8256u // its square is beyond every number of a range: no smallest factor is as large
#define SAMPLES 16u

_Static_assert(ROOT_MAX * ROOT_MAX > BASE_MAX + 2 * ODDS, "the sieve would miss factors");

struct memory {
  uint32_t composite[ODDS / 32];
  uint8_t small_composite[ROOT_MAX / 2]; // of the odd numbers 1, 3, 5 ...
};

static void sieve_small(uint8_t *composite) {
  memset(composite, 0, ROOT_MAX / 2);
  for (uint32_t n = 3; n * n < ROOT_MAX; n += 2) {
    if (composite[n / 2]) continue;
    for (uint32_t multiple = n * n; multiple < ROOT_MAX; multiple += 2 * n) composite[multiple / 2] = 1;
  }
}

// Marks the odd multiples of all odd primes up to the root in [base, base + 2 * ODDS).
static void sieve_range(struct memory *memory, uint32_t base) {
  const uint32_t end = base + 2 * ODDS;
  memset(memory->composite, 0, sizeof memory->composite);
  for (uint32_t prime = 3; prime < ROOT_MAX && prime * prime < end; prime += 2) {
    if (memory->small_composite[prime / 2]) continue;
    uint32_t multiple = (base + prime - 1) / prime * prime;
    if (multiple % 2 == 0) multiple += prime;
    if (multiple < prime * prime) multiple = prime * prime;
    for (uint32_t i = (multiple - base) / 2; i < ODDS; i += prime) memory->composite[i / 32] |= 1u << i % 32;
  }
}

static int is_prime_by_division(uint32_t odd) {
  for (uint32_t divisor = 3; divisor * divisor <= odd; divisor += 2) {
    if (odd % divisor == 0) return 0;
  }
  return odd > 1;
}

static void check_samples(const struct memory *memory, uint32_t base, uint32_t seed) {
  for (uint32_t sample = 0; sample < SAMPLES; sample++) {
    const uint32_t i = random_next(&seed) % ODDS;
    const int is_prime = (memory->composite[i / 32] >> i % 32 & 1) == 0;
    if (is_prime != is_prime_by_division(base + 2 * i + 1)) fail("the sieve and trial division disagree");
  }
}

static uint32_t run(void *own, uint32_t seed) {
  struct memory *const memory = own;
  const uint32_t base = seed % BASE_MAX & ~1u;
  sieve_small(memory->small_composite);
  sieve_range(memory, base + 1);
  check_samples(memory, base, seed);
  return crc32_append(base, memory->composite, sizeof memory->composite);
}

const struct program sieve = {"sieve", sizeof(struct memory), 0x51E7E001, run};
