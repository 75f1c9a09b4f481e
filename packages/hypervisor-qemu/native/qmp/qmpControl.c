/*
 * Control by QMP: RMK sends QEMU its commands, and the library does the work on RAM. It calls no function of QEMU.
 *
 * A checkpoint: the library asks RMK for `xen-save-devices-state` into a FIFO whose pipe holds less than the device
 * state. QEMU pauses the VM, writes, and blocks. The first bytes show that the VM is paused; it stays paused until all
 * is read.
 */
#include "qmp/qmpControl.h"

#include "checkpoint.h"
#include "monotonic.h"
#include "qmp/qmpCommands.h"
#include "rollback.h"
#include "qmp/snapshotFile.h"
#include "track/writeProtection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_BYTES 4096
/* After RMK's death: how long a command that it sent may still arrive at the FIFO. */
#define ORPHAN_LIMIT_MS 500
#define SAVE_LIMIT_MS 10000
#define LOAD_LIMIT_MS 30000

static struct {
    char fifo[256];
    int holder; /* keeps a writer's open() from blocking */
    struct snapshot_file snapshot;
    char qmp_socket[108];
    bool restored; /* a rollback is complete, and RMK has not been seen to go on since */
} qmp_control = {.holder = -1, .snapshot = {.file = -1}};

/* A writer that comes too late finds no reader and no FIFO: it fails, or writes a file, but does not hang. */
static void drop_fifo(void)
{
    unlink(qmp_control.fifo);
    if (qmp_control.holder >= 0)
        close(qmp_control.holder);
    qmp_control.holder = -1;
}

static bool make_fifo(const char *folder, struct failure *failure)
{
    int length = snprintf(qmp_control.fifo, sizeof qmp_control.fifo, "%s/device-state.%d", folder, (int)getpid());
    drop_fifo();
    if (length >= (int)sizeof qmp_control.fifo || mkfifo(qmp_control.fifo, 0600) != 0)
        return fail(failure, FAILURE_STATE, "%s cannot be created: %s", qmp_control.fifo, strerror(errno));
    qmp_control.holder = open(qmp_control.fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (qmp_control.holder >= 0 && fcntl(qmp_control.holder, F_SETPIPE_SZ, PIPE_BYTES) == PIPE_BYTES)
        return true;
    fail(failure, FAILURE_UNSUPPORTED, "a pipe of %d bytes cannot be created: %s", PIPE_BYTES, strerror(errno));
    drop_fifo();
    return false;
}

static const struct tracker *begin(struct protection *protection, struct failure *failure)
{
    if (!write_protection_is_possible(failure) || !make_fifo(protection->folder, failure))
        return NULL;
    qmp_control.restored = false;
    qmp_control.qmp_socket[0] = '\0';
    snapshot_file_close(&qmp_control.snapshot);
    return &write_protection_tracker;
}

bool qmp_control_use_snapshot(struct protection *protection, const uint8_t *payload, size_t length,
                                 struct failure *failure)
{
    const struct snapshot_payload *about = (const void *)payload;
    struct snapshot_file *snapshot = &qmp_control.snapshot;
    size_t offsets = (size_t)about->cluster_count * sizeof(uint64_t);
    size_t rest = length - sizeof *about;

    if (protection->control != &qmp_control_interface)
        return fail(failure, FAILURE_STATE, "only control by QMP uses a snapshot");
    if (about->cluster_count == 0 || about->cluster_count > MAX_CLUSTERS || about->cluster_bytes < 512 ||
        about->cluster_bytes > (2u << 20) || rest < offsets)
        return fail(failure, FAILURE_MALFORMED, "the clusters of the snapshot are invalid");
    const char *path = (const char *)payload + sizeof *about + offsets;
    size_t text = rest - offsets;
    size_t path_length = strnlen(path, text);
    if (path_length == text)
        return fail(failure, FAILURE_MALFORMED, "the path of the snapshot has no end");
    const char *socket_path = path + path_length + 1;
    size_t socket_length = strnlen(socket_path, text - path_length - 1);
    if (socket_length == text - path_length - 1 || socket_length >= sizeof qmp_control.qmp_socket)
        return fail(failure, FAILURE_MALFORMED, "the path of the QMP socket has no end, or is too long");
    snapshot->cluster_bytes = about->cluster_bytes;
    snapshot->cluster_count = about->cluster_count;
    memcpy(snapshot->clusters, payload + sizeof *about, offsets);
    memcpy(qmp_control.qmp_socket, socket_path, socket_length + 1);
    return snapshot_file_open(snapshot, protection->folder, path, failure);
}

static bool start_tracking(struct protection *protection, struct failure *failure)
{
    return protection->tracker->start(protection->guest, failure);
}

static bool find_written(struct protection *protection, struct failure *failure)
{
    return tracker_take(protection->tracker, &protection->logs.found, failure);
}

/* Waits for QEMU's first bytes. RMK writes only if QEMU refused, and nothing if it died. */
static bool wait_for_save(struct connection *connection, int fifo, struct failure *failure)
{
    struct pollfd waited[] = {{.fd = fifo, .events = POLLIN}, {.fd = connection->client, .events = POLLIN}};
    uint64_t until_ns = monotonic_ns() + SAVE_LIMIT_MS * (uint64_t)1000000;
    for (;;) {
        int64_t left_ms = ((int64_t)until_ns - (int64_t)monotonic_ns()) / 1000000;
        int ready = left_ms <= 0 ? 0 : poll(waited, 2, (int)left_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return fail(failure, FAILURE_STATE, "QEMU did not save its device state in time");
        if ((waited[0].revents & POLLIN) != 0)
            return true;
        if (waited[1].revents == 0)
            continue;
        if (connection_await_execution(connection, 0) != CLIENT_GONE)
            return fail(failure, FAILURE_STATE, "QEMU refused to save its device state");
        /* RMK is dead, but its command to QEMU may be on the way: nobody else would read what QEMU writes. */
        waited[1].fd = -1;
        until_ns = monotonic_ns() + ORPHAN_LIMIT_MS * (uint64_t)1000000;
    }
}

/* All of the stream, to its end: QEMU blocks as long as anything is left. */
static bool drain(int fifo, struct device_states *states, uint32_t buffer, struct failure *failure)
{
    uint8_t *bytes = device_states_bytes(states, buffer);
    size_t count = 0;
    for (;;) {
        uint8_t surplus[4096];
        bool fits = count < states->capacity;
        ssize_t got = fits ? read(fifo, bytes + count, states->capacity - count) : read(fifo, surplus, sizeof surplus);
        if (got > 0) {
            count += (size_t)got;
        } else if (got == 0) {
            break;
        } else if (errno == EAGAIN) {
            struct pollfd waited = {.fd = fifo, .events = POLLIN};
            poll(&waited, 1, -1);
        } else if (errno != EINTR) {
            return fail(failure, FAILURE_STATE, "the device state cannot be read: %s", strerror(errno));
        }
    }
    states->buffers[buffer].bytes = count;
    if (count > states->capacity)
        return fail(failure, FAILURE_MEMORY, "a device state of %zu bytes does not fit into %zu", count,
                    states->capacity);
    return count > PIPE_BYTES || fail(failure, FAILURE_UNSUPPORTED,
                                      "a device state of %zu bytes does not keep the VM paused while it is read", count);
}

/* Makes QEMU save its state by way of RMK; `while_paused` runs while the VM is paused. */
static bool save(struct protection *protection, uint32_t buffer, bool (*while_paused)(void *context), void *context,
                 struct failure *failure)
{
    if (qmp_control.holder < 0 && !make_fifo(protection->folder, failure))
        return false;
    int fifo = open(qmp_control.fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fifo < 0)
        return fail(failure, FAILURE_STATE, "%s cannot be opened: %s", qmp_control.fifo, strerror(errno));
    struct iovec path = {qmp_control.fifo, strlen(qmp_control.fifo)};
    bool begun = connection_send(protection->connection, KIND_SAVE, 0, &path, 1)
                     ? wait_for_save(protection->connection, fifo, failure)
                     : fail(failure, FAILURE_STATE, "RMK is gone");
    bool done = begun && while_paused(context);
    struct failure of_draining;
    if (begun && !drain(fifo, &protection->states, buffer, &of_draining)) {
        if (done)
            *failure = of_draining;
        done = false;
    }
    close(fifo);
    if (!begun)
        drop_fifo();
    return done;
}

static bool capture(void *context)
{
    struct checkpoint_job *job = context;
    job->result->at_ns = monotonic_ns();
    if (!checkpoint_capture(job))
        return false;
    checkpoint_conclude(job);
    return true;
}

static bool take_checkpoint(struct checkpoint_job *job)
{
    struct checkpoint_payload *result = job->result;
    job->done = save(job->protection, job->buffer, capture, job, job->failure);
    result->pause_ns = monotonic_ns() - result->at_ns;
    result->state_ns = result->pause_ns - result->pages_ns;
    qmp_control.restored = qmp_control.restored && !job->done;
    return job->done;
}

/* RMK has paused the VM. If it dies from here on, the library completes the rollback by itself. */
static bool load(struct rollback_job *job)
{
    struct connection *connection = job->protection->connection;
    enum execution loaded = connection_send(connection, KIND_LOAD, 0, NULL, 0)
                                  ? connection_await_execution(connection, LOAD_LIMIT_MS)
                                  : CLIENT_GONE;
    if (loaded == EXECUTION_REFUSED)
        return fail(job->failure, FAILURE_BROKEN, "QEMU could not load its device state: restart the VM");
    return loaded == EXECUTED || qmp_commands_load(qmp_control.qmp_socket, job->failure);
}

static bool roll_back(struct rollback_job *job)
{
    const struct device_states *states = &job->protection->states;
    uint32_t buffer = job->state->buffer;
    if (!rollback_plan(job) || !snapshot_file_put(&qmp_control.snapshot, device_states_bytes(states, buffer),
                                                      states->buffers[buffer].bytes, job->failure))
        return false;
    rollback_write_pages(job);
    bool loaded = load(job);
    rollback_step_done(job, STEP_LOAD);
    if (!loaded || !rollback_write_pages_again(job))
        return false;
    qmp_control.restored = true;
    rollback_conclude(job);
    return true;
}

static bool nothing_else(void *context)
{
    (void)context;
    return true;
}

static bool save_again(struct protection *protection, uint32_t buffer, struct failure *failure)
{
    return save(protection, buffer, nothing_else, NULL, failure);
}

static bool write_memory(struct protection *protection, const struct write_payload *where, const uint8_t *data,
                         size_t length, struct failure *failure)
{
    (void)protection, (void)where, (void)data, (void)length;
    return fail(failure, FAILURE_UNSUPPORTED, "control by QMP writes memory by the gdb stub, not by the library");
}

static void end(struct protection *protection, bool orphaned)
{
    struct failure failure;
    if (protection->tracking)
        protection->tracker->stop();
    if (orphaned && qmp_control.qmp_socket[0] != '\0' && protection->ran_at_start &&
        !qmp_commands_resume(qmp_control.qmp_socket, qmp_control.restored, &failure))
        fprintf(stderr, "rmk: the VM may stay paused: %s\n", failure.message);
    drop_fifo();
    snapshot_file_close(&qmp_control.snapshot);
}

const struct control qmp_control_interface = {
    .begin = begin,
    .start_tracking = start_tracking,
    .find_written = find_written,
    .checkpoint = take_checkpoint,
    .roll_back = roll_back,
    .save_again = save_again,
    .write = write_memory,
    .end = end,
};
