#include "rollback.h"

#include "store/checksum.h"
#include "monotonic.h"

/* An undo log is useless without all newer ones: the logs must be the chain from the open one to the target. */
static bool check_chain(struct rollback_job *job)
{
    struct page_logs *logs = &job->protection->logs;
    const struct rollback_target *target = job->target;
    struct failure *failure = job->failure;

    if (logs->open == NULL)
        return fail(failure, FAILURE_STATE, "no epoch is open: there is nothing to roll back");
    uint64_t expected = logs->open->id;
    const struct page_log *log = NULL;
    for (uint32_t index = 0; index < target->log_count; index++) {
        log = page_logs_find(logs, target->logs[index], failure);
        if (log == NULL)
            return false;
        if (log->id != expected)
            return fail(failure, FAILURE_INPUT, "the logs must be those of every epoch since the state, newest first");
        expected = log->predecessor;
    }
    if (log == NULL || log->state != target->state)
        return fail(failure, FAILURE_INPUT, "the oldest log is not of the epoch that opened at the state");
    return true;
}

static void drop_plan(struct page_logs *logs)
{
    for_each_page(&logs->planned, frame) {
        logs->plan[frame] = NO_SLOT;
    }
    page_set_clear(&logs->planned);
}

static void plan_page(struct page_logs *logs, uint32_t frame, uint32_t slot)
{
    logs->plan[frame] = slot;
    page_set_add(&logs->planned, frame);
}

/* Of several entries for a page the one in the oldest log rules; pages without any come from the shadow. */
static bool plan_pages(struct rollback_job *job)
{
    struct page_logs *logs = &job->protection->logs;

    if (!tracker_take(job->protection->tracker, &logs->found, job->failure))
        return false;
    page_set_unite(&logs->pending, &logs->found);
    for_each_page(&logs->pending, frame) {
        plan_page(logs, frame, logs->shadow[frame]);
    }
    for (uint32_t index = 0; index < job->target->log_count; index++) {
        const struct page_log *log = page_logs_find(logs, job->target->logs[index], job->failure);
        for (uint32_t slot = log->head; slot != NO_SLOT; slot = logs->records[slot].next)
            plan_page(logs, logs->records[slot].frame, slot);
    }
    return true;
}

static bool verify(struct rollback_job *job)
{
    struct page_logs *logs = &job->protection->logs;
    uint32_t damaged = 0, example = 0;

    if (!device_states_is_intact(&job->protection->states, job->state))
        return fail(job->failure, FAILURE_DAMAGED, "the checksum of device state %llu is wrong",
                    (unsigned long long)job->state->id);
    for_each_page(&logs->planned, frame) {
        if (!page_logs_slot_is_intact(logs, logs->plan[frame])) {
            damaged++;
            example = frame;
        }
    }
    return damaged == 0 || fail(job->failure, FAILURE_DAMAGED,
                                "the checksums of %u pages that the rollback needs are wrong, page frame %u for instance",
                                damaged, example);
}

bool rollback_plan(struct rollback_job *job)
{
    bool planned = plan_pages(job) && verify(job);
    if (!planned)
        drop_plan(&job->protection->logs);
    rollback_step_done(job, STEP_VERIFY);
    return planned;
}

void rollback_write_pages(struct rollback_job *job)
{
    struct page_logs *logs = &job->protection->logs;
    for_each_page(&logs->planned, frame) {
        memcpy(guest_page(logs->guest, frame), slot_page(logs, logs->plan[frame]), PAGE_BYTES);
        job->result->pages_restored++;
    }
    page_set_unite(&logs->epoch, &logs->pending);
    page_set_clear(&logs->pending);
    rollback_step_done(job, STEP_PAGES);
}

bool rollback_write_pages_again(struct rollback_job *job)
{
    struct page_logs *logs = &job->protection->logs;
    struct failure failure;

    if (!tracker_take(job->protection->tracker, &logs->found, &failure))
        return fail(job->failure, FAILURE_BROKEN, "restart the VM: %.400s", failure.message);
    for_each_page(&logs->found, frame) {
        uint32_t slot = logs->plan[frame] != NO_SLOT ? logs->plan[frame] : logs->shadow[frame];
        /*
         * Most of what the kernel's tracker finds was written by the pass before: comparing causes no fault, writing
         * does.
         */
        if (memcmp(guest_page(logs->guest, frame), slot_page(logs, slot), PAGE_BYTES) != 0)
            memcpy(guest_page(logs->guest, frame), slot_page(logs, slot), PAGE_BYTES);
    }
    rollback_step_done(job, STEP_PAGES_AGAIN);
    return true;
}

static void audit(struct rollback_job *job)
{
    struct protection *protection = job->protection;
    struct device_states *states = &protection->states;
    struct checkpoint_payload *result = job->result;
    uint32_t scratch = device_states_scratch(states);
    struct failure failure;

    result->audited = 1;
    result->ram_digest = checksum(protection->guest->base, guest_bytes(protection->guest));
    size_t loaded_bytes = states->buffers[job->state->buffer].bytes;
    size_t saved_bytes =
        protection->control->save_again(protection, scratch, &failure) ? states->buffers[scratch].bytes : 0;
    const uint8_t *loaded = device_states_bytes(states, job->state->buffer);
    const uint8_t *saved = device_states_bytes(states, scratch);
    size_t longer = loaded_bytes > saved_bytes ? loaded_bytes : saved_bytes;
    for (size_t offset = 0; offset < longer && result->difference_count < MAX_DIFFERENCES; offset++)
        if (offset >= loaded_bytes || offset >= saved_bytes || loaded[offset] != saved[offset])
            job->differences[result->difference_count++] = (uint32_t)offset;
    rollback_step_done(job, STEP_AUDIT);
}

void rollback_conclude(struct rollback_job *job)
{
    struct protection *protection = job->protection;
    struct checkpoint_payload *result = job->result;
    if ((protection->options.settings & SETTING_AUDIT) != 0)
        audit(job);
    if ((protection->options.settings & SETTING_CALL_IN_PAUSE) != 0)
        connection_call_in_pause(protection->connection, PAUSED_FOR_ROLLBACK, result->at_ns,
                                 protection->options.pause_limit_ms);
    result->pause_ns = monotonic_ns() - result->at_ns;
}

void rollback_step_done(struct rollback_job *job, enum rollback_step step)
{
    uint64_t now_ns = monotonic_ns();
    job->result->step_ns[step] = now_ns - job->step_start_ns;
    job->step_start_ns = now_ns;
}

bool rollback_do(struct protection *protection, const struct rollback_target *target, struct checkpoint_payload *result,
                 uint32_t *differences, struct failure *failure)
{
    struct page_logs *logs = &protection->logs;
    struct rollback_job job = {
        .protection = protection, .target = target, .result = result, .differences = differences, .failure = failure};
    job.state = device_states_find(&protection->states, target->state, failure);
    if (job.state == NULL || !check_chain(&job) || !page_logs_can_open(logs, failure))
        return false;
    struct device_state *again = device_states_retain(&protection->states, job.state->buffer);
    if (again == NULL)
        return fail(failure, FAILURE_LOG_FULL, "too many handles of device states are kept: release some");
    result->at_ns = job.step_start_ns = monotonic_ns();
    if (!protection->control->roll_back(&job)) {
        device_states_release(&protection->states, again);
        if (failure->code == FAILURE_BROKEN) {
            drop_plan(logs);
            page_logs_start_over(logs);
        }
        return false;
    }
    const struct page_log *oldest = page_logs_find(logs, target->logs[target->log_count - 1], failure);
    result->state = again->id;
    result->state_bytes = protection->states.buffers[again->buffer].bytes;
    result->closed_log = logs->open->id;
    result->state_ns = result->step_ns[STEP_RESET] + result->step_ns[STEP_LOAD];
    result->pages_ns = result->step_ns[STEP_PAGES] + result->step_ns[STEP_PAGES_AGAIN];
    result->log = page_logs_open(logs, again->id, oldest->predecessor)->id;
    return true;
}

void rollback_finish(struct protection *protection)
{
    struct page_logs *logs = &protection->logs;
    for_each_page(&logs->planned, frame) {
        uint32_t from = logs->plan[frame];
        uint32_t shadow = logs->shadow[frame];
        if (from != shadow) {
            memcpy(slot_page(logs, shadow), slot_page(logs, from), PAGE_BYTES);
            logs->records[shadow].checksum = logs->records[from].checksum;
        }
    }
    page_set_clear(&logs->closed);
    drop_plan(logs);
}
