/*
 * Runs work while the guest is paused: in the thread of the vCPU, between two translation blocks and under QEMU's lock;
 * or in the main loop, under the lock too. Returns when it is done.
 */
#pragma once

#include <stdbool.h>

void run_on_vcpu(void (*work)(void *data), void *data);
void run_in_main_loop(void (*work)(void *data), void *data);
