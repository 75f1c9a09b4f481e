/* The protection of the guest on behalf of one client: from KIND_START until the client ends it or is gone. */
#pragma once

#include "wire/connection.h"
#include "store/deviceStates.h"
#include "store/guestMemory.h"
#include "store/pageLogs.h"
#include "track/tracker.h"

struct control;

struct protection {
    struct connection *connection;
    const struct control *control;
    const char *folder;
    const struct guest_memory *guest;
    struct start_payload options;
    struct page_logs logs;
    struct device_states states;
    const struct tracker *tracker;
    bool active;   /* between start and end */
    bool tracking; /* the shadow is a copy, and the tracker knows what was written since */
    bool ran_at_start;
    bool stopped_by_rollback;       /* a rollback stopped the VM, or brought it back to life; cleared once it runs */
    uint64_t written_pages;   /* found since the last KIND_WRITTEN */
    char lost_reason[512];    /* not empty: the client does not know yet */
};

bool protection_start(struct protection *protection, const struct start_payload *options, const char *folder,
                      struct failure *failure);
/* Ends tracking and drops logs and states. If the client is gone (`orphaned`), resumes a VM that it left paused. */
void protection_end(struct protection *protection, bool orphaned);

/*
 * Captures what was written so far, while the guest runs: before a checkpoint, so that the pause has less to copy, and
 * whenever the client asks.
 */
bool protection_sweep(struct protection *protection, uint32_t *pages, struct failure *failure);
/* The log area cannot hold the epoch, whatever is released: drops all logs. The next checkpoint is a first one. */
void protection_lose(struct protection *protection, const char *reason);
/* Writes guest memory as a device would. */
bool protection_write(struct protection *protection, const struct write_payload *where, const uint8_t *data,
                      size_t length, struct failure *failure);
