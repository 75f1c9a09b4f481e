/*
 * Retained streams of device state, in shared memory. A handle is never used again. Two handles may share a stream: a
 * rollback gives the state that it went back to a handle of its own, so that each can be released by itself.
 */
#pragma once

#include "failure.h"
#include "store/sharedArea.h"

#include <stddef.h>
#include <stdint.h>

struct device_state {
    uint64_t id; /* 0: this place is free */
    uint32_t buffer;
};

struct state_buffer {
    uint32_t users;
    size_t bytes;
    uint64_t checksum;
};

struct device_states {
    struct shared_area area;
    size_t capacity; /* bytes of each buffer */
    uint32_t count;
    struct device_state *states;  /* as many places as there may be handles: twice the buffers */
    struct state_buffer *buffers; /* one more than there may be states: the last is scratch */
    uint64_t last_id;
};

bool device_states_create(struct device_states *states, const char *folder, uint32_t count, size_t capacity,
                          struct failure *failure);
void device_states_destroy(struct device_states *states);

uint8_t *device_states_bytes(const struct device_states *states, uint32_t buffer);
/* A buffer that nobody uses, to save into; FAILURE_LOG_FULL if all are retained. */
bool device_states_free_buffer(const struct device_states *states, uint32_t *buffer, struct failure *failure);
uint32_t device_states_scratch(const struct device_states *states);
/* A handle for what was saved into the buffer. */
struct device_state *device_states_retain(struct device_states *states, uint32_t buffer);
/* Computes the checksum: once, outside of the pause. */
void device_states_sum(struct device_states *states, const struct device_state *state);
bool device_states_is_intact(const struct device_states *states, const struct device_state *state);
struct device_state *device_states_find(const struct device_states *states, uint64_t id, struct failure *failure);
void device_states_release(struct device_states *states, struct device_state *state);
