/*
 * Work that is done while the guest stands still: in the thread of the vCPU, between two translation blocks and under
 * QEMU's lock; or in the main loop, under the lock too. Whoever asks waits until it is done.
 */
#pragma once

#include <stdbool.h>

void run_on_vcpu(void (*work)(void *data), void *data);
void run_in_main_loop(void (*work)(void *data), void *data);
