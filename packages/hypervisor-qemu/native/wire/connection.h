/* The socket: one client at a time, frames of protocol.h, nothing taken unchecked. */
#pragma once

#include "wire/protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct connection {
    int listening;
    int client; /* -1: none */
};

/* Binds and listens; the socket is readable and writable by its owner only. NULL, or what is wrong. */
const char *connection_listen(struct connection *connection, const char *path);
/* Waits for a client; takes only processes of the same user or of root. */
void connection_accept(struct connection *connection);
void connection_close(struct connection *connection);

/*
 * Reads a request into `header` and `payload`, which holds MAX_REQUEST_BYTES; false if the client is gone or malformed.
 */
bool connection_receive(struct connection *connection, struct frame_header *header, void *payload);
bool connection_send(struct connection *connection, uint16_t kind, uint64_t sequence, const struct iovec *parts,
                     size_t part_count);
/* Sends KIND_PAUSED and waits up to `limit_ms` for KIND_CONTINUE. Called in the pause, while a request is executed. */
void connection_call_in_pause(struct connection *connection, uint32_t what, uint64_t at_ns, uint32_t limit_ms);

/* RMK's reply to KIND_SAVE and KIND_LOAD; with a limit of 0 it has arrived already. */
enum execution { EXECUTED, EXECUTION_REFUSED, CLIENT_GONE };
enum execution connection_await_execution(struct connection *connection, uint32_t limit_ms);
