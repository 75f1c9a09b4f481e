#include "rollback.h"

#include "checksum.h"
#include "monotonic.h"

/* An undo log is of use only together with all newer ones: they have to be the chain from the open log to the target. */
static bool check_chain(struct rolling_back *rolling)
{
    struct page_logs *logs = &rolling->protection->logs;
    const struct rollback_target *target = rolling->target;
    struct failure *failure = rolling->failure;

    if (logs->open == NULL)
        return fail(failure, FAILURE_STATE, "no epoch is open: there is nothing to go back from");
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
static bool plan_pages(struct rolling_back *rolling)
{
    struct page_logs *logs = &rolling->protection->logs;

    if (!tracker_take(rolling->protection->tracker, &logs->found, rolling->failure))
        return false;
    page_set_unite(&logs->pending, &logs->found);
    for_each_page(&logs->pending, frame) {
        plan_page(logs, frame, logs->shadow[frame]);
    }
    for (uint32_t index = 0; index < rolling->target->log_count; index++) {
        const struct page_log *log = page_logs_find(logs, rolling->target->logs[index], rolling->failure);
        for (uint32_t slot = log->head; slot != NO_SLOT; slot = logs->records[slot].next)
            plan_page(logs, logs->records[slot].frame, slot);
    }
    return true;
}

static bool verify(struct rolling_back *rolling)
{
    struct page_logs *logs = &rolling->protection->logs;
    uint32_t damaged = 0, example = 0;

    if (!device_states_is_sound(&rolling->protection->states, rolling->state))
        return fail(rolling->failure, FAILURE_DAMAGED, "the checksum of device state %llu is wrong",
                    (unsigned long long)rolling->state->id);
    for_each_page(&logs->planned, frame) {
        if (!page_logs_slot_is_sound(logs, logs->plan[frame])) {
            damaged++;
            example = frame;
        }
    }
    return damaged == 0 || fail(rolling->failure, FAILURE_DAMAGED,
                                "the checksums of %u pages that the rollback needs are wrong, page frame %u for instance",
                                damaged, example);
}

bool rollback_plan(struct rolling_back *rolling)
{
    bool planned = plan_pages(rolling) && verify(rolling);
    if (!planned)
        drop_plan(&rolling->protection->logs);
    rollback_step_done(rolling, STEP_VERIFY);
    return planned;
}

void rollback_write_pages(struct rolling_back *rolling)
{
    struct page_logs *logs = &rolling->protection->logs;
    for_each_page(&logs->planned, frame) {
        memcpy(guest_page(logs->guest, frame), slot_page(logs, logs->plan[frame]), PAGE_BYTES);
        rolling->cut->pages_restored++;
    }
    page_set_unite(&logs->epoch, &logs->pending);
    page_set_clear(&logs->pending);
    rollback_step_done(rolling, STEP_PAGES);
}

bool rollback_write_pages_again(struct rolling_back *rolling)
{
    struct page_logs *logs = &rolling->protection->logs;
    struct failure failure;

    if (!tracker_take(rolling->protection->tracker, &logs->found, &failure))
        return fail(rolling->failure, FAILURE_BROKEN, "restart the VM: %.400s", failure.message);
    for_each_page(&logs->found, frame) {
        uint32_t slot = logs->plan[frame] != NO_SLOT ? logs->plan[frame] : logs->shadow[frame];
        /* Most of what the kernel's tracker finds was written by the pass before: looking costs no fault, writing does. */
        if (memcmp(guest_page(logs->guest, frame), slot_page(logs, slot), PAGE_BYTES) != 0)
            memcpy(guest_page(logs->guest, frame), slot_page(logs, slot), PAGE_BYTES);
    }
    rollback_step_done(rolling, STEP_PAGES_AGAIN);
    return true;
}

static void audit(struct rolling_back *rolling)
{
    struct protection *protection = rolling->protection;
    struct device_states *states = &protection->states;
    struct cut_payload *cut = rolling->cut;
    uint32_t scratch = device_states_scratch(states);
    struct failure failure;

    cut->audited = 1;
    cut->ram_digest = checksum(protection->guest->base, guest_bytes(protection->guest));
    size_t loaded_bytes = states->buffers[rolling->state->buffer].bytes;
    size_t saved_bytes =
        protection->control->save_again(protection, scratch, &failure) ? states->buffers[scratch].bytes : 0;
    const uint8_t *loaded = device_states_bytes(states, rolling->state->buffer);
    const uint8_t *saved = device_states_bytes(states, scratch);
    size_t longer = loaded_bytes > saved_bytes ? loaded_bytes : saved_bytes;
    for (size_t offset = 0; offset < longer && cut->difference_count < MAX_DIFFERENCES; offset++)
        if (offset >= loaded_bytes || offset >= saved_bytes || loaded[offset] != saved[offset])
            rolling->differences[cut->difference_count++] = (uint32_t)offset;
    rollback_step_done(rolling, STEP_AUDIT);
}

void rollback_conclude(struct rolling_back *rolling)
{
    struct protection *protection = rolling->protection;
    struct cut_payload *cut = rolling->cut;
    if ((protection->options.settings & SETTING_AUDIT) != 0)
        audit(rolling);
    if ((protection->options.settings & SETTING_CALL_AT_CUT) != 0)
        connection_call_at_cut(protection->connection, CUT_ROLLBACK, cut->at_ns, protection->options.cut_limit_ms);
    cut->pause_ns = monotonic_ns() - cut->at_ns;
}

void rollback_step_done(struct rolling_back *rolling, enum rollback_step step)
{
    uint64_t now_ns = monotonic_ns();
    rolling->cut->step_ns[step] = now_ns - rolling->step_start_ns;
    rolling->step_start_ns = now_ns;
}

bool rollback_do(struct protection *protection, const struct rollback_target *target, struct cut_payload *cut,
                 uint32_t *differences, struct failure *failure)
{
    struct page_logs *logs = &protection->logs;
    struct rolling_back rolling = {
        .protection = protection, .target = target, .cut = cut, .differences = differences, .failure = failure};
    rolling.state = device_states_find(&protection->states, target->state, failure);
    if (rolling.state == NULL || !check_chain(&rolling) || !page_logs_can_open(logs, failure))
        return false;
    struct device_state *again = device_states_retain(&protection->states, rolling.state->buffer);
    if (again == NULL)
        return fail(failure, FAILURE_LOG_FULL, "too many handles of device states are kept: release some");
    cut->at_ns = rolling.step_start_ns = monotonic_ns();
    if (!protection->control->roll_back(&rolling)) {
        device_states_release(&protection->states, again);
        if (failure->code == FAILURE_BROKEN) {
            drop_plan(logs);
            page_logs_begin_anew(logs);
        }
        return false;
    }
    const struct page_log *oldest = page_logs_find(logs, target->logs[target->log_count - 1], failure);
    cut->state = again->id;
    cut->state_bytes = protection->states.buffers[again->buffer].bytes;
    cut->closed_log = logs->open->id;
    cut->state_ns = cut->step_ns[STEP_RESET] + cut->step_ns[STEP_LOAD];
    cut->pages_ns = cut->step_ns[STEP_PAGES] + cut->step_ns[STEP_PAGES_AGAIN];
    cut->log = page_logs_open(logs, again->id, oldest->predecessor)->id;
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
