#include "qemu/deviceState.h"

#include "qemu/qemuFunctions.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Magic number and version, which loading does not expect. */
#define STREAM_HEADER_BYTES 8

/* QEMU's stream over the file of the shared area, from `offset` on; closing it closes only its own descriptor. */
static void *open_stream(int file, off_t offset, void *(*new_stream)(void *channel), struct failure *failure)
{
    int own = fcntl(file, F_DUPFD_CLOEXEC, 0);
    if (own < 0 || lseek(own, offset, SEEK_SET) != offset) {
        if (own >= 0)
            close(own);
        fail(failure, FAILURE_STATE, "the device states cannot be reached: %s", strerror(errno));
        return NULL;
    }
    void *channel = qemu.qio_channel_file_new_fd(own);
    void *stream = new_stream(channel);
    qemu.object_unref(channel); /* the stream has a reference of its own */
    return stream;
}

bool device_state_save(struct device_states *states, uint32_t buffer, struct failure *failure)
{
    /* The scratch buffer is the last of the file: a state that is too long overwrites no other. */
    uint32_t scratch = device_states_scratch(states);
    off_t start = (off_t)((size_t)scratch * states->capacity);
    void *stream = open_stream(states->area.file, start, qemu.qemu_file_new_output, failure);
    if (stream == NULL)
        return false;
    qemu.global_state_store_running();
    int saved = qemu.qemu_save_device_state(stream);
    int closed = qemu.qemu_fclose(stream);
    if (saved != 0 || closed < 0)
        return fail(failure, FAILURE_STATE, "QEMU could not save its device state (%d, %d)", saved, closed);
    /* The position is shared with the descriptor that QEMU closed. */
    off_t end = lseek(states->area.file, 0, SEEK_CUR);
    size_t bytes = end > start ? (size_t)(end - start) : 0;
    if (bytes <= STREAM_HEADER_BYTES || bytes > states->capacity) {
        int truncated = ftruncate(states->area.file, (off_t)states->area.bytes);
        return fail(failure, FAILURE_MEMORY, "a device state of %zu bytes does not fit into %zu%s", bytes,
                    states->capacity, truncated == 0 ? "" : ", and its end remains");
    }
    states->buffers[buffer].bytes = bytes;
    if (buffer != scratch)
        memcpy(device_states_bytes(states, buffer), device_states_bytes(states, scratch), bytes);
    return true;
}

bool device_state_load(const struct device_states *states, uint32_t buffer, struct failure *failure)
{
    off_t start = (off_t)((size_t)buffer * states->capacity);
    void *stream = open_stream(states->area.file, start + STREAM_HEADER_BYTES, qemu.qemu_file_new_input, failure);
    if (stream == NULL)
        return false;
    int loaded = qemu.qemu_load_device_state(stream);
    int closed = qemu.qemu_fclose(stream);
    if (loaded < 0 || closed < 0)
        return fail(failure, FAILURE_BROKEN, "QEMU could not load its device state (%d): restart the VM", loaded);
    return true;
}
