/*
 * How written pages become known. Two sorts can stand behind this interface:
 *  - found at the cut: nothing happens at a write; `take` says afterwards which pages were written, and the prior content
 *    is the shadow's. Both trackers of today are of this sort.
 *  - captured before the write (synchronous copy-on-write): a handler of its own saves the page, and its neighbours in a
 *    cluster, before the write takes effect. Such a tracker sets `captures_before_write`, saves through the callback that
 *    it gets at its start, needs no shadow, and its `take` only says what was written.
 */
#pragma once

#include "failure.h"
#include "guestMemory.h"
#include "pageSet.h"

struct before_write {
    /* Saves `count` pages from `frame` on; false where the log is full: unprotect everything, the guest must run on. */
    bool (*capture)(void *context, uint32_t frame, uint32_t count);
    void *context;
};

struct tracker {
    const char *name;
    bool captures_before_write;
    /* `take` may only be called while no vCPU executes, under QEMU's lock. */
    bool takes_at_standstill;
    /* From here on every page counts as clean. `before_write` is NULL for trackers that find at the cut. */
    bool (*start)(struct tracker *tracker, const struct guest_memory *guest, const struct before_write *before_write,
                  struct failure *failure);
    /* Adds the pages written since the last `take` or `start` to `found`; they are clean from now on. See tracker_take(). */
    bool (*take)(struct tracker *tracker, struct page_set *found, struct failure *failure);
    void (*stop)(struct tracker *tracker);
    void *own;
};

/* Into `found`, whatever was in it. */
static inline bool tracker_take(struct tracker *tracker, struct page_set *found, struct failure *failure)
{
    page_set_clear(found);
    return tracker->take(tracker, found, failure);
}
