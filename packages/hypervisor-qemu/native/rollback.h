/*
 * Rolls back to a retained checkpoint: verifies everything that it will write, then restores RAM, the device state, and
 * once more the RAM that loading the device state wrote.
 */
#pragma once

#include "control.h"

struct rollback_target {
    uint64_t state;
    const uint64_t *logs; /* newest first: of every epoch since the state, the open one included */
    uint32_t log_count;
};

enum rollback_step { STEP_STOP, STEP_VERIFY, STEP_PAGES, STEP_RESET, STEP_LOAD, STEP_PAGES_AGAIN, STEP_AUDIT };

struct rollback_job {
    struct protection *protection;
    const struct rollback_target *target;
    const struct device_state *state;
    struct checkpoint_payload *result;
    uint32_t *differences;
    struct failure *failure;
    uint64_t step_start_ns;
    bool done;
};

#define MAX_DIFFERENCES 1024u

/*
 * Afterwards the VM is paused at the state, with a new epoch open. On any failure but FAILURE_BROKEN nothing was
 * written, and the VM runs if it ran. `differences` holds MAX_DIFFERENCES offsets.
 */
bool rollback_do(struct protection *protection, const struct rollback_target *target, struct checkpoint_payload *result,
                 uint32_t *differences, struct failure *failure);
/* After the response: updates the shadow of the pages restored. */
void rollback_finish(struct protection *protection);

/* The steps, for controls: all of them while the VM is paused. */
void rollback_step_done(struct rollback_job *job, enum rollback_step step);
/* Plans which pages to write from where, and verifies them and the state. On failure nothing was written. */
bool rollback_plan(struct rollback_job *job);
void rollback_write_pages(struct rollback_job *job);
/* Reset and load write RAM as well: boot ROMs, rings of devices. */
bool rollback_write_pages_again(struct rollback_job *job);
/* Audit, and the call in the pause. */
void rollback_conclude(struct rollback_job *job);
