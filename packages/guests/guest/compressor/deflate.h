// Writes blocks of DEFLATE (RFC 1951).
#ifndef DEFLATE_H
#define DEFLATE_H

#include <stdint.h>

#include "bitWriter.h"
#include "codes.h"
#include "token.h"

#define DEFLATE_STORED_EXTRA_BYTES 6u // the most that a block can be longer than its text

// The tokens stand for `text`; the codes were made from them. Where both are longer than the text itself, that is
// stored instead.
void deflate_block(struct bit_writer *writer, const uint8_t *text, uint32_t bytes, const struct codes *codes,
                   const lz_token *tokens, uint32_t count, int is_last);

#endif
