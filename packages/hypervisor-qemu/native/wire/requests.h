/* Reads each request, checks its lengths and handles, executes it, and responds. */
#pragma once

#include "protection.h"

struct library {
    struct connection connection;
    struct guest_memory guest;
    struct protection protection;
    const char *ram_path;
    const char *shared_folder;
    uint8_t payload[MAX_REQUEST_BYTES];
};

/* Serves the client until it ends or is gone; false after an orderly end. */
bool requests_serve(struct library *library);
