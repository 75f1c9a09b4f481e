/* Control by QEMU's own functions: cuts in the thread of the vCPU, rollbacks in the main loop. */
#include "checkpoint.h"
#include "deviceState.h"
#include "dirtyBitmap.h"
#include "monotonic.h"
#include "qemuFunctions.h"
#include "rollback.h"
#include "standstill.h"

/* Whatever is asked of the tracker happens between two translation blocks, under QEMU's lock. */
struct question {
    struct protection *protection;
    struct failure *failure;
    bool done;
};

static struct tracker *begin(struct protection *protection, struct failure *failure)
{
    if (!qemu_functions_find(protection->guest, failure))
        return NULL;
    qemu.rcu_register_thread();
    return &dirty_bitmap_tracker;
}

static void start_tracker(void *data)
{
    struct question *question = data;
    struct protection *protection = question->protection;
    question->done = protection->tracker->start(protection->tracker, protection->guest, NULL, question->failure);
}

static bool start_tracking(struct protection *protection, struct failure *failure)
{
    struct question question = {.protection = protection, .failure = failure};
    run_on_vcpu(start_tracker, &question);
    return question.done;
}

static void ask_tracker(void *data)
{
    struct question *question = data;
    struct protection *protection = question->protection;
    question->done = tracker_take(protection->tracker, &protection->logs.found, question->failure);
}

static bool find_written(struct protection *protection, struct failure *failure)
{
    struct question question = {.protection = protection, .failure = failure};
    run_on_vcpu(ask_tracker, &question);
    return question.done;
}

/* In the thread of the vCPU. */
static void cut_on_vcpu(void *data)
{
    struct cutting *cutting = data;
    struct protection *protection = cutting->protection;
    struct cut_payload *cut = cutting->cut;
    bool running = qemu.runstate_is_running();

    cut->at_ns = monotonic_ns();
    if (running)
        qemu.cpu_disable_ticks(); /* saved clocks are absolute only while they stand still */
    qemu.bdrv_drain_all();        /* requests to disks are not in the saved state while they are under way */
    cutting->done = device_state_save(&protection->states, cutting->buffer, cutting->failure);
    cut->state_ns = monotonic_ns() - cut->at_ns;
    cutting->done = cutting->done && cut_capture(cutting);
    if (cutting->done)
        cut_conclude(cutting);
    if (running) {
        protection->stopped_by_us = false;
        qemu.cpu_enable_ticks();
    }
    cut->pause_ns = monotonic_ns() - cut->at_ns;
}

static bool cut(struct cutting *cutting)
{
    run_on_vcpu(cut_on_vcpu, cutting);
    return cutting->done;
}

/* From here on there is no way back: what was written stays written. */
static bool restore(struct rolling_back *rolling)
{
    struct protection *protection = rolling->protection;

    rollback_write_pages(rolling);
    /* One transaction: the memory map is computed once, after the load. */
    qemu.memory_region_transaction_begin();
    qemu.qemu_system_reset(qemu.cause_snapshot_load);
    rollback_step_done(rolling, STEP_RESET);
    bool loaded = device_state_load(&protection->states, rolling->state->buffer, rolling->failure);
    qemu.memory_region_transaction_commit();
    rollback_step_done(rolling, STEP_LOAD);
    return loaded && rollback_write_pages_again(rolling);
}

static void roll_back_in_main_loop(void *data)
{
    struct rolling_back *rolling = data;
    struct protection *protection = rolling->protection;
    bool ran = qemu.runstate_is_running();

    qemu.vm_stop(qemu.state_restore_vm);
    rollback_step_done(rolling, STEP_STOP);
    if (!rollback_plan(rolling)) {
        if (ran)
            qemu.vm_start();
        return;
    }
    rolling->done = restore(rolling);
    protection->stopped_by_us = rolling->done && (ran || protection->ran_at_start);
    if (!rolling->done)
        return;
    /* QEMU runs no VM on that it believes to need a reset; this one had it, and more. */
    if (qemu.runstate_needs_reset())
        qemu.runstate_set(qemu.state_paused);
    rollback_conclude(rolling);
}

static bool roll_back(struct rolling_back *rolling)
{
    run_in_main_loop(roll_back_in_main_loop, rolling);
    return rolling->done;
}

static bool save_again(struct protection *protection, uint32_t buffer, struct failure *failure)
{
    return device_state_save(&protection->states, buffer, failure);
}

struct memory_write {
    uint64_t address;
    const uint8_t *data;
    size_t length;
    const uint8_t *mapped;
    bool arrived;
};

/* As a device would: translated code that lies there is dropped, and the dirty bits are set. */
static void write_on_vcpu(void *data)
{
    struct memory_write *write = data;
    qemu.cpu_physical_memory_rw(write->address, (void *)(uintptr_t)write->data, write->length, true);
    write->arrived = memcmp(write->mapped, write->data, write->length) == 0;
}

static bool write_memory(struct protection *protection, uint64_t address, const uint8_t *data, size_t length,
                         struct failure *failure)
{
    struct memory_write write = {
        .address = address, .data = data, .length = length, .mapped = protection->guest->base + address};
    run_on_vcpu(write_on_vcpu, &write);
    return write.arrived || fail(failure, FAILURE_ADDRESS, "there is no RAM at 0x%llx: something else lies there",
                                 (unsigned long long)address);
}

static void stop_tracker(void *data)
{
    struct protection *protection = data;
    protection->tracker->stop(protection->tracker);
}

/* The client that stopped the VM is gone, and with it whoever would have let it run on. */
static void run_on(void *data)
{
    struct protection *protection = data;
    bool left_paused = qemu.runstate_check(qemu.state_paused) || qemu.runstate_check(qemu.state_restore_vm);
    /* A guest that has switched itself off since stays off: QEMU aborts where it is told to run that on. */
    bool can_run = !qemu.runstate_needs_reset();
    if (can_run && (protection->stopped_by_us || (protection->ran_at_start && left_paused)))
        qemu.vm_start();
}

static void end(struct protection *protection, bool orphaned)
{
    if (protection->tracking)
        run_on_vcpu(stop_tracker, protection);
    if (orphaned)
        run_in_main_loop(run_on, protection);
    qemu.rcu_unregister_thread();
}

const struct control control_in_process = {
    .begin = begin,
    .start_tracking = start_tracking,
    .find_written = find_written,
    .cut = cut,
    .roll_back = roll_back,
    .save_again = save_again,
    .write = write_memory,
    .end = end,
};
