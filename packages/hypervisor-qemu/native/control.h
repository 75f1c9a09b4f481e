/*
 * How the library makes QEMU act: by calling its functions (qemu/inProcessControl.c), or by asking RMK over the socket
 * to use QMP (qmp/qmpControl.c). Everything else is the same for both.
 */
#pragma once

#include "protection.h"

/* A checkpoint being taken. */
struct checkpoint_job {
    struct protection *protection;
    struct checkpoint_payload *result;
    uint32_t buffer; /* for the device state */
    struct failure *failure;
    bool done;
};

/* A rollback under way; the steps are in rollback.c. */
struct rollback_job;

struct write_payload;

struct control {
    /* Checks everything that this control needs, and returns the tracker to use. */
    const struct tracker *(*begin)(struct protection *protection, struct failure *failure);
    bool (*start_tracking)(struct protection *protection, struct failure *failure);
    /* Stores in `logs.found` what the tracker found. */
    bool (*find_written)(struct protection *protection, struct failure *failure);
    /* Pauses the guest, saves its device state, calls checkpoint_capture(), and resumes the guest if it ran. */
    bool (*checkpoint)(struct checkpoint_job *job);
    /* Pauses the guest and calls the steps of rollback.h in their order. */
    bool (*roll_back)(struct rollback_job *job);
    /* Saves the device state of the paused VM. */
    bool (*save_again)(struct protection *protection, uint32_t buffer, struct failure *failure);
    bool (*write)(struct protection *protection, const struct write_payload *where, const uint8_t *data, size_t length,
                  struct failure *failure);
    void (*end)(struct protection *protection, bool orphaned);
};

extern const struct control in_process_control_interface;
extern const struct control qmp_control_interface;
