/* The socket: one client at a time, frames of protocol.h, nothing taken unchecked. */
#pragma once

#include "protocol.h"

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

/* An order into `header` and `payload`, which holds MAX_ORDER_BYTES; false: the client is gone, or talks nonsense. */
bool connection_receive(struct connection *connection, struct frame_header *header, void *payload);
bool connection_send(struct connection *connection, uint16_t kind, uint64_t sequence, const struct iovec *parts,
                     size_t part_count);
/* Tells of the cut and waits for the answer, at most as long as that. Called in the pause, while an order is carried out. */
void connection_call_at_cut(struct connection *connection, uint32_t what, uint64_t at_ns, uint32_t limit_ms);

/* What RMK says to KIND_SAVE and KIND_LOAD; with a limit of 0 it has spoken already. */
enum carried_out { CARRIED_OUT_DONE, CARRIED_OUT_REFUSED, CARRIED_OUT_GONE };
enum carried_out connection_carried_out(struct connection *connection, uint32_t limit_ms);
