// Cryptography: the stream cipher ChaCha20 (RFC 8439) and the hash function SHA-256 (FIPS 180-4).
#include "program.h"

#define BLOCK_WORDS 16
#define BLOCKS 24

const char program_name[] = "crypto";
uint32_t program_rounds = 1200;

static uint32_t message[BLOCKS][BLOCK_WORDS];

static uint32_t rotate_left(uint32_t word, uint32_t by) {
  return word << by | word >> (32 - by);
}

static uint32_t rotate_right(uint32_t word, uint32_t by) {
  return word >> by | word << (32 - by);
}

static void quarter_round(uint32_t state[BLOCK_WORDS], uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  state[a] += state[b];
  state[d] = rotate_left(state[d] ^ state[a], 16);
  state[c] += state[d];
  state[b] = rotate_left(state[b] ^ state[c], 12);
  state[a] += state[b];
  state[d] = rotate_left(state[d] ^ state[a], 8);
  state[c] += state[d];
  state[b] = rotate_left(state[b] ^ state[c], 7);
}

static void encrypt(uint32_t block[BLOCK_WORDS], const uint32_t key[BLOCK_WORDS], uint32_t counter) {
  uint32_t state[BLOCK_WORDS];
  for (uint32_t i = 0; i < BLOCK_WORDS; i++) state[i] = key[i];
  state[12] = counter;
  for (int i = 0; i < 10; i++) {
    quarter_round(state, 0, 4, 8, 12);
    quarter_round(state, 1, 5, 9, 13);
    quarter_round(state, 2, 6, 10, 14);
    quarter_round(state, 3, 7, 11, 15);
    quarter_round(state, 0, 5, 10, 15);
    quarter_round(state, 1, 6, 11, 12);
    quarter_round(state, 2, 7, 8, 13);
    quarter_round(state, 3, 4, 9, 14);
  }
  for (uint32_t i = 0; i < BLOCK_WORDS; i++) block[i] ^= state[i] + (i == 12 ? counter : key[i]);
}

static const uint32_t CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void compress(uint32_t hash[8], const uint32_t block[BLOCK_WORDS]) {
  uint32_t w[64];
  for (uint32_t i = 0; i < BLOCK_WORDS; i++) w[i] = block[i];
  for (uint32_t i = BLOCK_WORDS; i < 64; i++) {
    const uint32_t s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
    const uint32_t s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4], f = hash[5], g = hash[6], h = hash[7];
  for (uint32_t i = 0; i < 64; i++) {
    const uint32_t s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
    const uint32_t one = h + s1 + ((e & f) ^ (~e & g)) + CONSTANTS[i] + w[i];
    const uint32_t s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
    const uint32_t other = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + other;
  }
  hash[0] += a, hash[1] += b, hash[2] += c, hash[3] += d, hash[4] += e, hash[5] += f, hash[6] += g, hash[7] += h;
}

uint32_t program_round(uint32_t round) {
  uint32_t key[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  uint32_t seed = round + 9;
  for (uint32_t i = 4; i < BLOCK_WORDS; i++) key[i] = program_random(&seed);
  uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (uint32_t i = 0; i < BLOCKS; i++) {
    encrypt(message[i], key, i);
    compress(hash, message[i]);
  }
  uint32_t digest = round;
  for (uint32_t i = 0; i < 8; i++) digest = program_digest(digest, hash[i]);
  return digest;
}
