/*
 * How written pages become known: nothing happens at a write; `take` reports afterwards which pages were written, and
 * the prior content of each is its shadow page.
 */
#pragma once

#include "failure.h"
#include "store/guestMemory.h"
#include "store/pageSet.h"

struct tracker {
    /* From here on every page counts as clean. */
    bool (*start)(const struct guest_memory *guest, struct failure *failure);
    /*
     * Adds the pages written since the last `take` or `start` to `found`; they are clean from now on. See
     * tracker_take().
     */
    bool (*take)(struct page_set *found, struct failure *failure);
    void (*stop)(void);
};

/* Into `found`, whatever was in it. */
static inline bool tracker_take(const struct tracker *tracker, struct page_set *found, struct failure *failure)
{
    page_set_clear(found);
    return tracker->take(found, failure);
}
