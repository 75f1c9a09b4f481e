#include "heap.h"

#include <stddef.h>

#include "panic.h"

#define ALIGNMENT 16u

// Stands right before the memory that is given out.
struct block {
  uint32_t bytes; // without this header
  struct block *next; // in the list of free blocks
  uint32_t reserved[2];
};

_Static_assert(sizeof(struct block) == ALIGNMENT, "the memory behind a header must be aligned");

extern uint8_t heap_start[];
extern uint8_t heap_end[];

static struct block *released;
static uint8_t *untouched = heap_start; // from here on nothing was ever given out

// The first released block that is large enough is given out as it is; else the heap grows.
void *heap_allocate(uint32_t bytes) {
  const uint32_t rounded = (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  for (struct block **link = &released; *link != NULL; link = &(*link)->next) {
    struct block *const found = *link;
    if (found->bytes < rounded) continue;
    *link = found->next;
    return found + 1;
  }
  const uint32_t left = (uint32_t)(heap_end - untouched);
  if (rounded < bytes || left < sizeof(struct block) || left - sizeof(struct block) < rounded) {
    panic("out of memory");
  }
  struct block *const fresh = (struct block *)(void *)untouched;
  fresh->bytes = rounded;
  untouched += sizeof(struct block) + rounded;
  return fresh + 1;
}

void heap_release(void *memory) {
  struct block *const given = (struct block *)memory - 1;
  given->next = released;
  released = given;
}
