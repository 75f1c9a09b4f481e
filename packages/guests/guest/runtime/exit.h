// Switching the machine off.
#ifndef EXIT_H
#define EXIT_H

#include <stdint.h>

// `code`: 0 when all is well, up to 65535 otherwise.
_Noreturn void exit(uint32_t code);

#endif
