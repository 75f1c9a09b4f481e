#include "checkpoint.h"

#include "store/checksum.h"
#include "monotonic.h"

#include <stdio.h>

bool checkpoint_capture(struct checkpoint_job *job)
{
    struct protection *protection = job->protection;
    struct page_logs *logs = &protection->logs;
    uint64_t start_ns = monotonic_ns();

    if (!tracker_take(protection->tracker, &logs->found, job->failure))
        return false;
    protection->written_pages += page_set_count(&logs->found);
    if (!page_logs_capture(logs, &logs->found, job->failure))
        return false;
    job->result->pages_ns = monotonic_ns() - start_ns;
    if ((protection->options.settings & SETTING_AUDIT) != 0) {
        job->result->ram_digest = checksum(protection->guest->base, guest_bytes(protection->guest));
        job->result->audited = 1;
    }
    return true;
}

void checkpoint_conclude(struct checkpoint_job *job)
{
    struct protection *protection = job->protection;
    if ((protection->options.settings & SETTING_CALL_IN_PAUSE) != 0)
        connection_call_in_pause(protection->connection, PAUSED_FOR_CHECKPOINT, job->result->at_ns,
                               protection->options.pause_limit_ms);
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

static bool take(struct checkpoint_job *job)
{
    struct protection *protection = job->protection;
    uint32_t pre_pass_pages = 0;
    if (!protection->tracking && !prepare_first(protection, job->failure))
        return false;
    if (!protection_sweep(protection, &pre_pass_pages, job->failure))
        return false;
    job->result->pre_pass_pages = pre_pass_pages;
    return protection->control->checkpoint(job);
}

bool checkpoint_take(struct protection *protection, struct checkpoint_payload *result, struct failure *failure)
{
    struct page_logs *logs = &protection->logs;
    struct checkpoint_job job = {.protection = protection, .result = result, .failure = failure};
    if (!device_states_free_buffer(&protection->states, &job.buffer, failure) ||
        !page_logs_can_open(logs, failure))
        return false;
    if (!take(&job)) {
        if (failure->code == FAILURE_LOG_FULL && is_too_small(logs)) {
            char reason[sizeof protection->lost_reason];
            snprintf(reason, sizeof reason, "the log area of %u pages is too small for one epoch", logs->log_pages);
            protection_lose(protection, reason);
        }
        return false;
    }
    struct device_state *state = device_states_retain(&protection->states, job.buffer);
    if (state == NULL)
        return fail(failure, FAILURE_LOG_FULL, "too many handles of device states are kept: release some");
    result->state = state->id;
    result->state_bytes = protection->states.buffers[job.buffer].bytes;
    result->closed_log = logs->open == NULL ? 0 : logs->open->id;
    result->log = page_logs_open(logs, result->state, result->closed_log)->id;
    return true;
}

void checkpoint_finish(struct protection *protection, const struct checkpoint_payload *result)
{
    struct failure ignored;
    page_logs_sum(&protection->logs);
    const struct device_state *state = device_states_find(&protection->states, result->state, &ignored);
    if (state != NULL)
        device_states_sum(&protection->states, state);
}
