/* Control by QEMU's own functions: checkpoints in the thread of the vCPU, rollbacks in the main loop. */
#include "checkpoint.h"
#include "qemu/deviceState.h"
#include "track/dirtyBitmap.h"
#include "monotonic.h"
#include "qemu/qemuFunctions.h"
#include "rollback.h"
#include "qemu/qemuThreads.h"

/* All use of the tracker happens between two translation blocks, under QEMU's lock. */
struct question {
    struct protection *protection;
    struct failure *failure;
    bool done;
};

static const struct tracker *begin(struct protection *protection, struct failure *failure)
{
    if (!qemu_functions_find(protection->guest, failure))
        return NULL;
    /* A balloon or free page reporting would punch holes in RAM, which sets no dirty bit. */
    if (qemu.ram_block_discard_disable(true) != 0) {
        fail(failure, FAILURE_UNSUPPORTED, "a device of the VM relies on discarding guest RAM");
        return NULL;
    }
    qemu.rcu_register_thread();
    return &dirty_bitmap_tracker;
}

static void start_tracker(void *data)
{
    struct question *question = data;
    struct protection *protection = question->protection;
    question->done = protection->tracker->start(protection->guest, question->failure);
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
static void checkpoint_on_vcpu(void *data)
{
    struct checkpoint_job *job = data;
    struct protection *protection = job->protection;
    struct checkpoint_payload *result = job->result;
    bool running = qemu.runstate_is_running();
    /* QEMU's clocks go on while the guest is suspended to RAM. */
    bool ticking = running || qemu.runstate_check(qemu.state_suspended);

    result->at_ns = monotonic_ns();
    if (ticking)
        qemu.cpu_disable_ticks(); /* saved clocks are absolute only while they are stopped */
    qemu.bdrv_drain_all();        /* disk requests in flight are not part of the saved state */
    job->done = device_state_save(&protection->states, job->buffer, job->failure);
    result->state_ns = monotonic_ns() - result->at_ns;
    job->done = job->done && checkpoint_capture(job);
    if (job->done)
        checkpoint_conclude(job);
    if (running)
        protection->stopped_by_rollback = false;
    if (ticking)
        qemu.cpu_enable_ticks();
    result->pause_ns = monotonic_ns() - result->at_ns;
}

static bool take_checkpoint(struct checkpoint_job *job)
{
    run_on_vcpu(checkpoint_on_vcpu, job);
    return job->done;
}

/* Point of no return: what was written stays written. */
static bool restore(struct rollback_job *job)
{
    struct protection *protection = job->protection;

    rollback_write_pages(job);
    /* One transaction: the memory map is computed once, after the load. */
    qemu.memory_region_transaction_begin();
    qemu.qemu_system_reset(qemu.cause_snapshot_load);
    rollback_step_done(job, STEP_RESET);
    bool loaded = device_state_load(&protection->states, job->state->buffer, job->failure);
    qemu.memory_region_transaction_commit();
    rollback_step_done(job, STEP_LOAD);
    return loaded && rollback_write_pages_again(job);
}

static void roll_back_in_main_loop(void *data)
{
    struct rollback_job *job = data;
    struct protection *protection = job->protection;
    bool ran = qemu.runstate_is_running();
    bool suspended = qemu.runstate_check(qemu.state_suspended);

    qemu.vm_stop(qemu.state_restore_vm);
    if (suspended)
        qemu.cpu_disable_ticks(); /* vm_stop() does nothing in this state */
    rollback_step_done(job, STEP_STOP);
    if (!rollback_plan(job)) {
        if (ran)
            qemu.vm_start();
        else if (suspended)
            qemu.cpu_enable_ticks();
        return;
    }
    job->done = restore(job);
    protection->stopped_by_rollback = job->done && (ran || protection->ran_at_start);
    if (!job->done)
        return;
    /* QEMU refuses to resume a VM that it believes to need a reset; this one has been reset. */
    if (qemu.runstate_needs_reset())
        qemu.runstate_set(qemu.state_paused);
    else if (suspended)
        qemu.runstate_set(qemu.state_prelaunch);
    rollback_conclude(job);
}

static bool roll_back(struct rollback_job *job)
{
    run_in_main_loop(roll_back_in_main_loop, job);
    return job->done;
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

static bool write_memory(struct protection *protection, const struct write_payload *where, const uint8_t *data,
                         size_t length, struct failure *failure)
{
    struct memory_write write = {.address = where->address,
                                 .data = data,
                                 .length = length,
                                 .mapped = protection->guest->base + where->offset};
    run_on_vcpu(write_on_vcpu, &write);
    return write.arrived || fail(failure, FAILURE_ADDRESS, "there is no RAM at 0x%llx: something else lies there",
                                 (unsigned long long)where->address);
}

static void stop_tracker(void *data)
{
    struct protection *protection = data;
    protection->tracker->stop();
}

/* The client that paused the VM is gone, so nobody else would resume it. */
static void resume_orphan(void *data)
{
    struct protection *protection = data;
    bool left_paused = qemu.runstate_check(qemu.state_paused) || qemu.runstate_check(qemu.state_restore_vm);
    /* A guest that has switched itself off since stays off: QEMU aborts if asked to resume it. */
    bool can_run = !qemu.runstate_needs_reset();
    if (can_run && (protection->stopped_by_rollback || (protection->ran_at_start && left_paused)))
        qemu.vm_start();
}

static void end(struct protection *protection, bool orphaned)
{
    if (protection->tracking)
        run_on_vcpu(stop_tracker, protection);
    if (orphaned)
        run_in_main_loop(resume_orphan, protection);
    qemu.ram_block_discard_disable(false);
    qemu.rcu_unregister_thread();
}

const struct control in_process_control_interface = {
    .begin = begin,
    .start_tracking = start_tracking,
    .find_written = find_written,
    .checkpoint = take_checkpoint,
    .roll_back = roll_back,
    .save_again = save_again,
    .write = write_memory,
    .end = end,
};
