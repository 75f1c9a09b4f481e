/*
 * The tracker that works without calls within QEMU: asynchronous write protection by the kernel (userfaultfd with
 * WP_ASYNC, Linux 6.7). A first write to a page costs about a microsecond in the kernel; PAGEMAP_SCAN finds the pages
 * written and protects them again in one step, while the guest runs.
 */
#pragma once

#include "track/tracker.h"

extern const struct tracker write_protection_tracker;
/* Whether the kernel can do it, and lets us. */
bool write_protection_is_possible(struct failure *failure);
