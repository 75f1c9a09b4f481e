#include "store/deviceStates.h"

#include "store/checksum.h"

#include <stdlib.h>
#include <string.h>

bool device_states_create(struct device_states *states, const char *folder, uint32_t count, size_t capacity,
                          struct failure *failure)
{
    memset(states, 0, sizeof *states);
    if (count == 0 || count > 4096 || capacity < 4096 || capacity > ((size_t)64 << 20) || capacity % 4096 != 0)
        return fail(failure, FAILURE_INPUT, "%u device states of %zu bytes are not possible", count, capacity);
    if (!shared_area_create(&states->area, folder, "device-states", (count + 1) * capacity, failure))
        return false;
    states->count = count;
    states->capacity = capacity;
    states->states = calloc((size_t)count * 2, sizeof *states->states);
    states->buffers = calloc((size_t)count + 1, sizeof *states->buffers);
    if (states->states == NULL || states->buffers == NULL) {
        device_states_destroy(states);
        return fail(failure, FAILURE_MEMORY, "QEMU's process is out of memory");
    }
    return true;
}

void device_states_destroy(struct device_states *states)
{
    shared_area_destroy(&states->area);
    free(states->states);
    free(states->buffers);
    memset(states, 0, sizeof *states);
}

uint8_t *device_states_bytes(const struct device_states *states, uint32_t buffer)
{
    return states->area.base + (size_t)buffer * states->capacity;
}

bool device_states_free_buffer(const struct device_states *states, uint32_t *buffer, struct failure *failure)
{
    for (uint32_t place = 0; place < states->count; place++) {
        if (states->buffers[place].users == 0) {
            *buffer = place;
            return true;
        }
    }
    return fail(failure, FAILURE_LOG_FULL, "%u device states are kept already: release some", states->count);
}

uint32_t device_states_scratch(const struct device_states *states)
{
    return states->count;
}

struct device_state *device_states_retain(struct device_states *states, uint32_t buffer)
{
    for (size_t place = 0; place < (size_t)states->count * 2; place++) {
        struct device_state *state = &states->states[place];
        if (state->id == 0) {
            state->id = ++states->last_id;
            state->buffer = buffer;
            states->buffers[buffer].users++;
            return state;
        }
    }
    return NULL;
}

void device_states_sum(struct device_states *states, const struct device_state *state)
{
    struct state_buffer *buffer = &states->buffers[state->buffer];
    buffer->checksum = checksum(device_states_bytes(states, state->buffer), buffer->bytes);
}

bool device_states_is_intact(const struct device_states *states, const struct device_state *state)
{
    const struct state_buffer *buffer = &states->buffers[state->buffer];
    return checksum(device_states_bytes(states, state->buffer), buffer->bytes) == buffer->checksum;
}

struct device_state *device_states_find(const struct device_states *states, uint64_t id, struct failure *failure)
{
    for (size_t place = 0; id != 0 && place < (size_t)states->count * 2; place++)
        if (states->states[place].id == id)
            return &states->states[place];
    fail(failure, FAILURE_RELEASED, "device state %llu was released, or never was", (unsigned long long)id);
    return NULL;
}

void device_states_release(struct device_states *states, struct device_state *state)
{
    states->buffers[state->buffer].users--;
    state->id = 0;
}
