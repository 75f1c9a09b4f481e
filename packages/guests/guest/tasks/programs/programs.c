// All programs, in the order in which their results are printed.
#include "programs.h"

const struct program *const programs[PROGRAMS] = {
    &sieve, &matrix, &quicksort, &words, &life, &queens, &machine, &producer, &consumer, &clock,
};
