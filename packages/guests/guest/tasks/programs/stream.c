// Producer and consumer: one sends pseudo-random bytes through the kernel's pipe, the other makes the same ones again
// and compares.
#include "crc32.h"
#include "programs.h"
#include "random.h"
#include "systemCalls.h"

#define MESSAGE_WORDS 48u // not a divisor of the pipe's size, so that messages are split
#define MESSAGES 400u
#define SEED 0x57EA3008

// Bytes that the producer has announced and the consumer has not seen yet.
static uint32_t in_flight;

struct memory {
  uint32_t sent[MESSAGE_WORDS];
  uint32_t received[MESSAGE_WORDS];
};

static void make_message(uint32_t *message, uint32_t *seed) {
  for (uint32_t i = 0; i < MESSAGE_WORDS; i++) message[i] = random_next(seed);
}

static uint32_t produce(void *own, uint32_t seed) {
  struct memory *const memory = own;
  uint32_t crc = 0;
  for (uint32_t message = 0; message < MESSAGES; message++) {
    make_message(memory->sent, &seed);
    crc = crc32_append(crc, memory->sent, sizeof memory->sent);
    __atomic_fetch_add(&in_flight, sizeof memory->sent, __ATOMIC_RELAXED);
    const uint8_t *const bytes = (const uint8_t *)memory->sent;
    for (uint32_t done = 0; done < sizeof memory->sent;) done += pipe_write(bytes + done, sizeof memory->sent - done);
    yield();
  }
  return crc;
}

static uint32_t consume(void *own, uint32_t seed) {
  struct memory *const memory = own;
  uint32_t crc = 0;
  for (uint32_t message = 0; message < MESSAGES; message++) {
    make_message(memory->sent, &seed);
    uint8_t *const bytes = (uint8_t *)memory->received;
    for (uint32_t done = 0; done < sizeof memory->received;) done += pipe_read(bytes + done, sizeof memory->received - done);
    for (uint32_t i = 0; i < MESSAGE_WORDS; i++) {
      if (memory->received[i] != memory->sent[i]) fail("a message was changed on its way through the pipe");
    }
    crc = crc32_append(crc, memory->received, sizeof memory->received);
    __atomic_fetch_sub(&in_flight, sizeof memory->received, __ATOMIC_RELAXED);
  }
  if (__atomic_load_n(&in_flight, __ATOMIC_RELAXED) != 0) fail("there are bytes in flight after the last message");
  return crc;
}

const struct program producer = {"producer", sizeof(struct memory), SEED, produce};
const struct program consumer = {"consumer", sizeof(struct memory), SEED, consume};
