#include "wire/connection.h"

#include "failure.h"
#include "monotonic.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_PARTS 8
/* How long a client may leave a response unread. */
#define SEND_LIMIT_MS 5000

const char *connection_listen(struct connection *connection, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    connection->client = -1;
    if (strlen(path) >= sizeof address.sun_path)
        return "the path is too long for a unix socket";
    memcpy(address.sun_path, path, strlen(path) + 1);
    connection->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->listening < 0)
        return strerror(errno);
    /* Linux gives the socket file the mode of the unbound socket, less the umask. */
    if (fchmod(connection->listening, 0600) != 0 ||
        bind(connection->listening, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(path, 0600) != 0 || listen(connection->listening, 1) != 0) {
        int error = errno;
        close(connection->listening);
        return strerror(error);
    }
    return NULL;
}

static bool is_trusted(int client)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return false;
    return peer.uid == geteuid() || peer.uid == 0;
}

void connection_accept(struct connection *connection)
{
    for (;;) {
        int client = accept4(connection->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client >= 0 && is_trusted(client)) {
            connection->client = client;
            return;
        }
        if (client >= 0)
            close(client);
        else if (errno != EINTR && errno != ECONNABORTED)
            sleep(1); /* out of descriptors, for instance: try again without using up the processor */
    }
}

void connection_close(struct connection *connection)
{
    if (connection->client >= 0)
        close(connection->client);
    connection->client = -1;
}

/* Waits until `events` are possible; a limit of -1 is none. */
static bool wait_for(int client, short events, int64_t until_ns)
{
    for (;;) {
        int timeout = -1;
        if (until_ns >= 0) {
            int64_t left = until_ns - (int64_t)monotonic_ns();
            if (left <= 0)
                return false;
            timeout = (int)(left / 1000000 + 1);
        }
        struct pollfd waited = {.fd = client, .events = events};
        int ready = poll(&waited, 1, timeout);
        if (ready > 0)
            return (waited.revents & (events | POLLHUP)) != 0 && (waited.revents & POLLNVAL) == 0;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

static bool read_exactly(int client, void *data, size_t length, int64_t until_ns)
{
    for (uint8_t *at = data; length > 0;) {
        ssize_t got = recv(client, at, length, 0);
        if (got > 0) {
            at += got;
            length -= (size_t)got;
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            return false;
        } else if (!wait_for(client, POLLIN, until_ns)) {
            return false;
        }
    }
    return true;
}

static bool is_well_formed(const struct frame_header *header)
{
    return header->magic == PROTOCOL_MAGIC && header->version == PROTOCOL_VERSION && header->reserved == 0 &&
           header->length <= MAX_REQUEST_BYTES;
}

static void refuse(struct connection *connection, uint64_t sequence, const char *why)
{
    struct failure_payload payload = {.code = FAILURE_MALFORMED};
    struct iovec parts[] = {{&payload, sizeof payload}, {(void *)(uintptr_t)why, strlen(why)}};
    connection_send(connection, KIND_FAILURE, sequence, parts, 2);
}

bool connection_receive(struct connection *connection, struct frame_header *header, void *payload)
{
    if (!read_exactly(connection->client, header, sizeof *header, -1))
        return false;
    if (!is_well_formed(header)) {
        refuse(connection, header->sequence, "this is not a request of this version of the protocol");
        return false;
    }
    return read_exactly(connection->client, payload, header->length, -1);
}

bool connection_send(struct connection *connection, uint16_t kind, uint64_t sequence, const struct iovec *parts,
                     size_t part_count)
{
    struct frame_header header = {
        .magic = PROTOCOL_MAGIC, .version = PROTOCOL_VERSION, .kind = kind, .sequence = sequence};
    struct iovec all[1 + MAX_PARTS] = {{&header, sizeof header}};
    for (size_t part = 0; part < part_count && part < MAX_PARTS; part++) {
        all[1 + part] = parts[part];
        header.length += (uint32_t)parts[part].iov_len;
    }
    struct msghdr message = {.msg_iov = all, .msg_iovlen = 1 + part_count};
    size_t left = sizeof header + header.length;
    int64_t until_ns = (int64_t)monotonic_ns() + SEND_LIMIT_MS * (int64_t)1000000;
    while (left > 0) {
        ssize_t sent = sendmsg(connection->client, &message, MSG_NOSIGNAL);
        if (sent < 0) {
            if ((errno != EAGAIN && errno != EINTR) || !wait_for(connection->client, POLLOUT, until_ns))
                return false;
            continue;
        }
        left -= (size_t)sent;
        for (size_t done = (size_t)sent; done > 0;) {
            struct iovec *first = message.msg_iov;
            size_t piece = done < first->iov_len ? done : first->iov_len;
            first->iov_base = (uint8_t *)first->iov_base + piece;
            first->iov_len -= piece;
            done -= piece;
            if (first->iov_len == 0 && message.msg_iovlen > 1) {
                message.msg_iov++;
                message.msg_iovlen--;
            }
        }
    }
    return true;
}

static bool call_in_pause(struct connection *connection, uint32_t what, uint64_t at_ns, uint32_t limit_ms)
{
    struct paused_payload call = {.what = what, .at_ns = at_ns};
    struct iovec part = {&call, sizeof call};
    struct frame_header response;
    int64_t until_ns = (int64_t)monotonic_ns() + (int64_t)limit_ms * 1000000;
    return connection_send(connection, KIND_PAUSED, at_ns, &part, 1) &&
           read_exactly(connection->client, &response, sizeof response, until_ns) && is_well_formed(&response) &&
           response.kind == KIND_CONTINUE && response.sequence == at_ns && response.length == 0;
}

void connection_call_in_pause(struct connection *connection, uint32_t what, uint64_t at_ns, uint32_t limit_ms)
{
    /* The guest does not wait for a client that is gone or too slow: protection ends at the next read of the socket. */
    if (!call_in_pause(connection, what, at_ns, limit_ms))
        shutdown(connection->client, SHUT_RDWR);
}

enum execution connection_await_execution(struct connection *connection, uint32_t limit_ms)
{
    struct {
        struct frame_header header;
        struct executed_payload payload;
    } frame;
    /* Half a frame from a client that stopped in the middle must not hold up a paused VM. */
    uint32_t rest_ms = limit_ms == 0 ? SEND_LIMIT_MS : limit_ms;
    int64_t until_ns = (int64_t)monotonic_ns() + (int64_t)rest_ms * 1000000;
    if (read_exactly(connection->client, &frame, sizeof frame, until_ns) && is_well_formed(&frame.header) &&
        frame.header.kind == KIND_EXECUTED && frame.header.length == sizeof frame.payload)
        return frame.payload.done == 1 ? EXECUTED : EXECUTION_REFUSED;
    shutdown(connection->client, SHUT_RDWR);
    return CLIENT_GONE;
}
