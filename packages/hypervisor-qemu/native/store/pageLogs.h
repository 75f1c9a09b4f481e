/*
 * The shadow and the page logs. The shadow holds every page of guest RAM as it was when it was last copied. Where a
 * page is found written, its shadow page is the prior content: the slot moves to the log of the open epoch, and a fresh
 * slot with a new copy becomes the shadow. So logging moves no bytes, and a copy is made once a page and epoch (and
 * again where a page that was copied early was written again).
 *
 * What holds between any two calls, for each page:
 *  - the tracker calls it clean, and it is not pending: its shadow equals RAM;
 *  - it has an entry in the open log: the entry is its content at the last checkpoint;
 *  - it has none: its shadow is its content at the last checkpoint.
 */
#pragma once

#include "failure.h"
#include "store/guestMemory.h"
#include "store/pageSet.h"
#include "store/sharedArea.h"

#include <stddef.h>
#include <stdint.h>

#define NO_SLOT UINT32_MAX
#define MAX_LOGS 1024

struct slot_record {
    uint64_t checksum;
    uint32_t frame;
    uint32_t next; /* in its log, or in the list of free slots */
};

struct page_log {
    uint64_t id;    /* 0: this place is free */
    uint64_t state; /* the device state at which its epoch opened */
    uint64_t predecessor;
    uint32_t head;
    uint32_t count;
};

struct page_logs {
    const struct guest_memory *guest;
    struct shared_area area;
    uint8_t *slots;
    struct slot_record *records;
    uint32_t *shadow;     /* frame to slot */
    uint32_t *open_entry; /* frame to slot in the open log */
    uint32_t *plan;       /* frame to slot, of a rollback */
    struct page_set epoch;   /* found written in the open epoch */
    struct page_set closed;  /* the same of the epoch before, whose shadow pages have no checksum yet */
    struct page_set pending; /* reported by the tracker, not yet captured */
    struct page_set found;   /* scratch for the tracker */
    struct page_set planned; /* of a rollback */
    uint32_t free_head;
    uint32_t free_count;
    uint32_t log_pages;
    struct page_log logs[MAX_LOGS];
    struct page_log *open; /* NULL: no epoch is open */
    uint64_t last_id;
};

bool page_logs_create(struct page_logs *logs, const struct guest_memory *guest, const char *folder, uint32_t log_pages,
                      struct failure *failure);
void page_logs_destroy(struct page_logs *logs);

/* Makes the shadow a copy of RAM. Holes of the RAM file are skipped: the shadow is zero there too. */
void page_logs_copy_all(struct page_logs *logs);

/*
 * Captures `found`, pages that were written and are clean from now on. Fails with FAILURE_LOG_FULL where the open log
 * cannot get an entry for each; the pages are pending then, and nothing is lost.
 */
bool page_logs_capture(struct page_logs *logs, const struct page_set *found, struct failure *failure);

/* Whether there is a place for one more log. */
bool page_logs_can_open(const struct page_logs *logs, struct failure *failure);
/* Ends the open epoch, if one is open, and opens the next. The pages written are in `closed` then. */
struct page_log *page_logs_open(struct page_logs *logs, uint64_t state, uint64_t predecessor);
/* Computes the checksums that the last checkpoint left open. */
void page_logs_sum(struct page_logs *logs);

struct page_log *page_logs_find(struct page_logs *logs, uint64_t id, struct failure *failure);
/* Releasing the open log closes its epoch for good: the next checkpoint is a first one. */
void page_logs_release(struct page_logs *logs, struct page_log *log);
void page_logs_release_all(struct page_logs *logs);
/* RAM was written without the tracker: all of it is pending, and the next checkpoint is a first one. */
void page_logs_start_over(struct page_logs *logs);

/* Of a log's entries: those whose checksum is wrong, into `damaged`. */
void page_logs_verify(struct page_logs *logs, const struct page_log *log, struct page_set *damaged);
bool page_logs_slot_is_intact(const struct page_logs *logs, uint32_t slot);

static inline uint8_t *slot_page(const struct page_logs *logs, uint32_t slot)
{
    return logs->slots + (size_t)slot * PAGE_BYTES;
}
