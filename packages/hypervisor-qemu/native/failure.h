/* What can go wrong with a request: a code that the driver maps to its own, and a sentence for people. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum failure_code {
    FAILURE_NONE = 0,
    FAILURE_INPUT = 1,       /* the request is invalid */
    FAILURE_STATE = 2,       /* not possible in the present state */
    FAILURE_LOG_FULL = 3,    /* no room for prior contents; nothing is lost, the epoch is still open */
    FAILURE_DAMAGED = 4,     /* a checksum is wrong; nothing was written */
    FAILURE_RELEASED = 5,    /* the handle was released or dropped */
    FAILURE_ADDRESS = 6,     /* outside of the guest's memory */
    FAILURE_MEMORY = 7,      /* no space for logs or states */
    FAILURE_UNSUPPORTED = 8, /* this QEMU or this kernel lacks what is needed */
    FAILURE_BROKEN = 9,      /* the device state could not be loaded: the VM has to be restarted */
    FAILURE_MALFORMED = 10,  /* not a request of this protocol: the connection is closed */
};

struct failure {
    enum failure_code code;
    char message[480];
};

/* Fills in `failure` and returns false, so that callers can `return fail(...)`. */
bool fail(struct failure *failure, enum failure_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
