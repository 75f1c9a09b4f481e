#include "programs.h"

const struct workload *const workloads[WORKLOADS] = {&collatz, &words, &cycle, &partitions};
