/* The protection of the guest on behalf of one client: from KIND_START until the client ends it or is gone. */
#pragma once

#include "connection.h"
#include "deviceStates.h"
#include "guestMemory.h"
#include "pageLogs.h"
#include "tracker.h"

struct control;

struct protection {
    struct connection *connection;
    const struct control *control;
    const char *folder;
    const struct guest_memory *guest;
    struct start_payload options;
    struct page_logs logs;
    struct device_states states;
    struct tracker *tracker;
    bool active;   /* between start and end */
    bool tracking; /* the shadow is a copy, and the tracker knows what was written since */
    bool ran_at_start;
    bool stopped_by_us;       /* a rollback stopped the VM, or brought it back to life; cleared once it runs */
    uint64_t written_pages;   /* found since the client asked last */
    char lost_reason[512];    /* not empty: to be told to the client */
};

bool protection_start(struct protection *protection, const struct start_payload *options, const char *folder,
                      struct failure *failure);
/* Drops tracking, logs and states. Where the client is gone (`orphaned`), a VM that it left stopped runs on. */
void protection_end(struct protection *protection, bool orphaned);

/*
 * Takes in what was written so far, while the guest runs: before a cut, so that the pause has less to copy, and whenever
 * the client wants to know.
 */
bool protection_sweep(struct protection *protection, uint32_t *pages, struct failure *failure);
/* The log area cannot hold the epoch whatever is released: all logs are void, and the next cut is a first one. */
void protection_lose(struct protection *protection, const char *reason);
/* Writes guest memory as a device would. */
bool protection_write(struct protection *protection, uint64_t address, const uint8_t *data, size_t length,
                      struct failure *failure);
