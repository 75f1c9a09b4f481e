#include "checkpoint.h"

#include "checksum.h"
#include "monotonic.h"

#include <stdio.h>

bool cut_capture(struct cutting *cutting)
{
    struct protection *protection = cutting->protection;
    struct page_logs *logs = &protection->logs;
    uint64_t start_ns = monotonic_ns();

    if (!tracker_take(protection->tracker, &logs->found, cutting->failure))
        return false;
    protection->written_pages += page_set_count(&logs->found);
    if (!page_logs_capture(logs, &logs->found, cutting->failure))
        return false;
    cutting->cut->pages_ns = monotonic_ns() - start_ns;
    if ((protection->options.settings & SETTING_AUDIT) != 0) {
        cutting->cut->ram_digest = checksum(protection->guest->base, guest_bytes(protection->guest));
        cutting->cut->audited = 1;
    }
    return true;
}

void cut_conclude(struct cutting *cutting)
{
    struct protection *protection = cutting->protection;
    if ((protection->options.settings & SETTING_CALL_AT_CUT) != 0)
        connection_call_at_cut(protection->connection, CUT_CHECKPOINT, cutting->cut->at_ns,
                               protection->options.cut_limit_ms);
}

/* Copies all of RAM while the guest runs; what it writes meanwhile is found by the sweeps that follow. */
static bool prepare_first(struct protection *protection, struct failure *failure)
{
    if (!protection->control->start_tracking(protection, failure))
        return false;
    protection->tracking = true;
    page_logs_copy_all(&protection->logs);
    return true;
}

/* Whether releasing every other log would make room. */
static bool is_too_small(const struct page_logs *logs)
{
    uint32_t needed = 0;
    for_each_page(&logs->pending, frame) {
        if (logs->open_entry[frame] == NO_SLOT)
            needed++;
    }
    return logs->open != NULL && needed > logs->log_pages - logs->open->count;
}

static bool take(struct cutting *cutting)
{
    struct protection *protection = cutting->protection;
    uint32_t pre_pass_pages = 0;
    if (!protection->tracking && !prepare_first(protection, cutting->failure))
        return false;
    if (!protection_sweep(protection, &pre_pass_pages, cutting->failure))
        return false;
    cutting->cut->pre_pass_pages = pre_pass_pages;
    return protection->control->cut(cutting);
}

bool checkpoint_take(struct protection *protection, struct cut_payload *cut, struct failure *failure)
{
    struct page_logs *logs = &protection->logs;
    struct cutting cutting = {.protection = protection, .cut = cut, .failure = failure};
    if (!device_states_free_buffer(&protection->states, &cutting.buffer, failure) ||
        !page_logs_can_open(logs, failure))
        return false;
    if (!take(&cutting)) {
        if (failure->code == FAILURE_LOG_FULL && is_too_small(logs)) {
            char reason[sizeof protection->lost_reason];
            snprintf(reason, sizeof reason, "the log area of %u pages is too small for one epoch", logs->log_pages);
            protection_lose(protection, reason);
        }
        return false;
    }
    struct device_state *state = device_states_retain(&protection->states, cutting.buffer);
    if (state == NULL)
        return fail(failure, FAILURE_LOG_FULL, "too many handles of device states are kept: release some");
    cut->state = state->id;
    cut->state_bytes = protection->states.buffers[cutting.buffer].bytes;
    cut->closed_log = logs->open == NULL ? 0 : logs->open->id;
    cut->log = page_logs_open(logs, cut->state, cut->closed_log)->id;
    return true;
}

void checkpoint_finish(struct protection *protection, const struct cut_payload *cut)
{
    struct failure ignored;
    page_logs_sum(&protection->logs);
    const struct device_state *state = device_states_find(&protection->states, cut->state, &ignored);
    if (state != NULL)
        device_states_sum(&protection->states, state);
}
