// Canonical Huffman codes of limited length.
#ifndef HUFFMAN_H
#define HUFFMAN_H

#include <stdint.h>

#include "deflateFormat.h"

#define HUFFMAN_SYMBOLS_MAX LITERAL_SYMBOLS

// The length of each symbol's code word in bits, at most `limit`; 0 where it does not occur. At least two symbols get
// one, so that the code is complete (decoders may insist on that).
void huffman_lengths(const uint32_t *frequencies, uint32_t symbols, uint32_t limit, uint8_t *lengths);

// The code words, bits reversed as DEFLATE writes them.
void huffman_words(const uint8_t *lengths, uint32_t symbols, uint16_t *words);

#endif
