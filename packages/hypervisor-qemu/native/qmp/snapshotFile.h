/*
 * Control by QMP loads device state by loading a snapshot: one was saved at the start into a small qcow2 file, and
 * before each load the clusters of its device state are overwritten with the stream to load.
 */
#pragma once

#include "store/deviceStates.h"

#include <stdbool.h>

#define SNAPSHOT_TAG "rmk"
#define SNAPSHOT_NODE "rmk-state"
#define MAX_CLUSTERS 4096u

struct snapshot_file {
    int file; /* -1: not known yet */
    uint32_t cluster_bytes;
    uint32_t cluster_count;
    uint64_t clusters[MAX_CLUSTERS];
};

/* `path` has to be in `folder`. */
bool snapshot_file_open(struct snapshot_file *snapshot, const char *folder, const char *path, struct failure *failure);
void snapshot_file_close(struct snapshot_file *snapshot);
bool snapshot_file_put(const struct snapshot_file *snapshot, const uint8_t *stream, size_t bytes,
                       struct failure *failure);
