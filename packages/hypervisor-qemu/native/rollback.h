/*
 * Going back to a retained checkpoint: everything that will be written is verified first, then RAM, device state, and
 * RAM once more where loading the device state wrote it.
 */
#pragma once

#include "control.h"

struct rollback_target {
    uint64_t state;
    const uint64_t *logs; /* newest first: of every epoch since the state, the open one included */
    uint32_t log_count;
};

enum rollback_step { STEP_STOP, STEP_VERIFY, STEP_PAGES, STEP_RESET, STEP_LOAD, STEP_PAGES_AGAIN, STEP_AUDIT };

struct rolling_back {
    struct protection *protection;
    const struct rollback_target *target;
    const struct device_state *state;
    struct cut_payload *cut;
    uint32_t *differences;
    struct failure *failure;
    uint64_t step_start_ns;
    bool done;
};

#define MAX_DIFFERENCES 1024u

/*
 * Afterwards the VM is stopped at the state, with a new epoch open; where it fails with anything but FAILURE_BROKEN,
 * nothing was written and the VM runs if it ran. `differences` holds MAX_DIFFERENCES offsets.
 */
bool rollback_do(struct protection *protection, const struct rollback_target *target, struct cut_payload *cut,
                 uint32_t *differences, struct failure *failure);
/* What is left to be done once it was answered: the shadow of the pages restored. */
void rollback_finish(struct protection *protection);

/* The steps, for controls: all of them while the VM stands still. */
void rollback_step_done(struct rolling_back *rolling, enum rollback_step step);
/* Says which pages will be written from where, and verifies them and the state; where it fails, nothing was done. */
bool rollback_plan(struct rolling_back *rolling);
void rollback_write_pages(struct rolling_back *rolling);
/* Reset and load write RAM as well: boot ROMs, rings of devices. */
bool rollback_write_pages_again(struct rolling_back *rolling);
/* Audit, and the call at the cut. */
void rollback_conclude(struct rolling_back *rolling);
