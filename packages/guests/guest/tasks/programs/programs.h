// The programs of the tasks, each in the file of its name (producer and consumer in stream.c).
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "program.h"

extern const struct program sieve;
extern const struct program matrix;
extern const struct program quicksort;
extern const struct program words;
extern const struct program life;
extern const struct program queens;
extern const struct program machine;
extern const struct program producer;
extern const struct program consumer;
extern const struct program clock;

#endif
