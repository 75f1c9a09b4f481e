/*
 * Who does what needs QEMU: its own functions, called from within (controlInProcess.c), or RMK by QMP, asked over the
 * socket (controlByQmp.c). Everything else is the same for both.
 */
#pragma once

#include "protection.h"

/* A cut being made. */
struct cutting {
    struct protection *protection;
    struct cut_payload *cut;
    uint32_t buffer; /* for the device state */
    struct failure *failure;
    bool done;
};

/* A rollback being made; the steps are in rollback.c. */
struct rolling_back;

struct control {
    /* The tracker to use, once everything that this control needs was found to be there. */
    struct tracker *(*begin)(struct protection *protection, struct failure *failure);
    bool (*start_tracking)(struct protection *protection, struct failure *failure);
    /* Asks the tracker, into `logs.found`. */
    bool (*find_written)(struct protection *protection, struct failure *failure);
    /* Stops the guest, saves its device state, calls cut_capture(), and lets it run on if it ran. */
    bool (*cut)(struct cutting *cutting);
    /* Stops the guest and calls the steps of rollback.h in their order. */
    bool (*roll_back)(struct rolling_back *rolling);
    /* Saves the device state of the stopped VM. */
    bool (*save_again)(struct protection *protection, uint32_t buffer, struct failure *failure);
    bool (*write)(struct protection *protection, uint64_t address, const uint8_t *data, size_t length,
                  struct failure *failure);
    void (*end)(struct protection *protection, bool orphaned);
};

extern const struct control control_in_process;
extern const struct control control_by_qmp;
