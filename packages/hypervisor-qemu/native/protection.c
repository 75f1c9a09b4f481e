#include "protection.h"

#include "control.h"

#include <stdio.h>

static const struct control *control_of(uint32_t control)
{
    switch (control) {
    case CONTROL_IN_PROCESS:
        return &in_process_control_interface;
    case CONTROL_QMP:
        return &qmp_control_interface;
    default:
        return NULL;
    }
}

bool protection_start(struct protection *protection, const struct start_payload *options, const char *folder,
                      struct failure *failure)
{
    if (protection->active)
        return fail(failure, FAILURE_STATE, "protection has been started already");
    protection->options = *options;
    protection->folder = folder;
    protection->tracking = false;
    protection->ran_at_start = options->runs != 0;
    protection->stopped_by_rollback = false;
    protection->written_pages = 0;
    protection->lost_reason[0] = '\0';
    protection->control = control_of(options->control);
    if (protection->control == NULL)
        return fail(failure, FAILURE_INPUT, "control %u is unknown", options->control);
    if (!page_logs_create(&protection->logs, protection->guest, folder, options->log_pages, failure))
        return false;
    if (!device_states_create(&protection->states, folder, options->states, options->state_bytes, failure)) {
        page_logs_destroy(&protection->logs);
        return false;
    }
    protection->tracker = protection->control->begin(protection, failure);
    if (protection->tracker == NULL) {
        page_logs_destroy(&protection->logs);
        device_states_destroy(&protection->states);
        return false;
    }
    protection->active = true;
    return true;
}

void protection_end(struct protection *protection, bool orphaned)
{
    if (!protection->active)
        return;
    protection->control->end(protection, orphaned);
    page_logs_destroy(&protection->logs);
    device_states_destroy(&protection->states);
    protection->tracking = false;
    protection->active = false;
}

bool protection_sweep(struct protection *protection, uint32_t *pages, struct failure *failure)
{
    if (!protection->control->find_written(protection, failure))
        return false;
    *pages = page_set_count(&protection->logs.found);
    protection->written_pages += *pages;
    return page_logs_capture(&protection->logs, &protection->logs.found, failure);
}

void protection_lose(struct protection *protection, const char *reason)
{
    page_logs_release_all(&protection->logs);
    snprintf(protection->lost_reason, sizeof protection->lost_reason, "%s", reason);
}

bool protection_write(struct protection *protection, const struct write_payload *where, const uint8_t *data,
                      size_t length, struct failure *failure)
{
    uint64_t bytes = guest_bytes(protection->guest);
    if (where->offset > bytes || length > bytes - where->offset)
        return fail(failure, FAILURE_ADDRESS, "0x%llx + %zu bytes lie outside of the guest's RAM",
                    (unsigned long long)where->address, length);
    return protection->control->write(protection, where, data, length, failure);
}
