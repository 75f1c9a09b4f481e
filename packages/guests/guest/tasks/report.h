// The rounds as a whole. Tasks end theirs in any order; what is printed is in a fixed one.
#ifndef REPORT_H
#define REPORT_H

#include "task.h"

// To be called whenever a task has ended its round or is finished. When it was the last one, prints the round and sends
// all tasks to a short rest, in which the machine is idle; when all are finished, prints the sums and switches the
// machine off.
void report_progress(void);

#endif
