/*
 * The tracker that costs the guest nothing: the dirty bitmap that TCG and DMA keep anyway. Works within QEMU only, and
 * is called while no vCPU executes, under QEMU's lock.
 */
#pragma once

#include "track/tracker.h"

extern const struct tracker dirty_bitmap_tracker;
