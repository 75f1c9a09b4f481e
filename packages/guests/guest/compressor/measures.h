// The codes of a block as they are written in front of it: the lengths of their words, by a third code.
#ifndef MEASURES_H
#define MEASURES_H

#include <stdint.h>

#include "bitWriter.h"
#include "codes.h"

struct measures {
  uint8_t symbols[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
  uint8_t extras[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
  uint32_t count;
  struct code code;
  // How many words' lengths there are of each code; the last ones are zero and left out.
  uint32_t literal_lengths;
  uint32_t distance_lengths;
  uint32_t code_lengths;
};

void measures_make(struct measures *measures, const struct codes *codes);
uint32_t measures_bits(const struct measures *measures);
void measures_write(const struct measures *measures, struct bit_writer *writer);

#endif
