/*
 * Going back to a retained checkpoint: everything that will be written is verified first, then RAM, device state, and
 * RAM once more where loading the device state wrote it.
 */
#pragma once

#include "protection.h"

struct rollback_target {
    uint64_t state;
    const uint64_t *logs; /* newest first: of every epoch since the state, the open one included */
    uint32_t log_count;
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
