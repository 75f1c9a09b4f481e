/* The tracker that costs the guest nothing: the dirty bitmap that TCG and DMA keep anyway. Needs calls within QEMU. */
#pragma once

#include "tracker.h"

extern struct tracker dirty_bitmap_tracker;
