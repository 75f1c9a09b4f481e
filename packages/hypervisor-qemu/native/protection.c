#include "protection.h"

#include "dirtyBitmap.h"
#include "qemuFunctions.h"
#include "standstill.h"

#include <stdio.h>

static void note_run_state(void *data)
{
    struct protection *protection = data;
    protection->ran_at_start = qemu.runstate_is_running();
}

bool protection_start(struct protection *protection, const struct start_payload *options, const char *folder,
                      struct failure *failure)
{
    if (protection->active)
        return fail(failure, FAILURE_STATE, "protection has been started already");
    if (options->control != CONTROL_IN_PROCESS)
        return fail(failure, FAILURE_INPUT, "control %u is unknown", options->control);
    if (!qemu_functions_find(protection->guest, failure) ||
        !page_logs_create(&protection->logs, protection->guest, folder, options->log_pages, failure))
        return false;
    if (!device_states_create(&protection->states, folder, options->states, options->state_bytes, failure)) {
        page_logs_destroy(&protection->logs);
        return false;
    }
    protection->options = *options;
    protection->tracker = &dirty_bitmap_tracker;
    protection->active = true;
    protection->tracking = false;
    protection->stopped_by_us = false;
    protection->written_pages = 0;
    protection->lost_reason[0] = '\0';
    qemu.rcu_register_thread();
    run_in_main_loop(note_run_state, protection);
    return true;
}

static void stop_tracking(void *data)
{
    struct protection *protection = data;
    protection->tracker->stop(protection->tracker);
}

static void run_on(void *data)
{
    struct protection *protection = data;
    bool left_paused = qemu.runstate_check(qemu.state_paused) || qemu.runstate_check(qemu.state_restore_vm);
    if (protection->stopped_by_us || (protection->ran_at_start && left_paused))
        qemu.vm_start();
}

void protection_end(struct protection *protection, bool orphaned)
{
    if (!protection->active)
        return;
    if (protection->tracking)
        run_on_vcpu(stop_tracking, protection);
    if (orphaned)
        run_in_main_loop(run_on, protection);
    page_logs_destroy(&protection->logs);
    device_states_destroy(&protection->states);
    protection->tracking = false;
    protection->active = false;
    qemu.rcu_unregister_thread();
}

struct question {
    struct protection *protection;
    struct failure *failure;
    bool done;
};

static void ask_tracker(void *data)
{
    struct question *question = data;
    struct protection *protection = question->protection;
    page_set_clear(&protection->logs.found);
    question->done = protection->tracker->take(protection->tracker, &protection->logs.found, question->failure);
}

bool protection_sweep(struct protection *protection, uint32_t *pages, struct failure *failure)
{
    struct question question = {.protection = protection, .failure = failure};
    if (protection->tracker->takes_at_standstill)
        run_on_vcpu(ask_tracker, &question);
    else
        ask_tracker(&question);
    if (!question.done)
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

struct memory_write {
    uint64_t address;
    const uint8_t *data;
    size_t length;
    const uint8_t *mapped;
    bool arrived;
};

static void write_memory(void *data)
{
    struct memory_write *write = data;
    qemu.cpu_physical_memory_rw(write->address, (void *)(uintptr_t)write->data, write->length, true);
    write->arrived = memcmp(write->mapped, write->data, write->length) == 0;
}

bool protection_write(struct protection *protection, uint64_t address, const uint8_t *data, size_t length,
                      struct failure *failure)
{
    uint64_t bytes = guest_bytes(protection->guest);
    if (address > bytes || length > bytes - address)
        return fail(failure, FAILURE_ADDRESS, "0x%llx + %zu bytes lie outside of the guest's RAM",
                    (unsigned long long)address, length);
    struct memory_write write = {
        .address = address, .data = data, .length = length, .mapped = protection->guest->base + address};
    run_on_vcpu(write_memory, &write);
    return write.arrived || fail(failure, FAILURE_ADDRESS, "there is no RAM at 0x%llx: something else lies there",
                                 (unsigned long long)address);
}
