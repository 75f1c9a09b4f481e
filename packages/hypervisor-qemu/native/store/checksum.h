/* XXH64: of pages, state streams, and all of RAM. It guards against damage, not against forgers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t checksum(const void *data, size_t length);
