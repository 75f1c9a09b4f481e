#include "qmp/qmpCommands.h"

#include "monotonic.h"
#include "qmp/snapshotFile.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* For each response; on a socket of its own QEMU responds at once. */
#define ANSWER_LIMIT_S 2
#define LOAD_LIMIT_NS 30000000000u
#define RETRY_US 10000
#define JOB "rmk-orphan"
#define JOB_START "{\"current-progress\""

struct exchange {
    int socket;
    size_t bytes;
    char text[65536]; /* received and not yet read; then the line that was read */
    char line[65536];
};

/* One line of JSON; events are lines as well. */
static bool read_line(struct exchange *exchange)
{
    for (;;) {
        char *end = memchr(exchange->text, '\n', exchange->bytes);
        if (end != NULL) {
            size_t length = (size_t)(end - exchange->text) + 1;
            memcpy(exchange->line, exchange->text, length);
            exchange->line[length - 1] = '\0';
            exchange->bytes -= length;
            memmove(exchange->text, exchange->text + length, exchange->bytes);
            return true;
        }
        if (exchange->bytes == sizeof exchange->text)
            return false;
        ssize_t got = recv(exchange->socket, exchange->text + exchange->bytes, sizeof exchange->text - exchange->bytes, 0);
        if (got <= 0)
            return false;
        exchange->bytes += (size_t)got;
    }
}

/* Leaves the response in `line`: QEMU repeats the id. */
static bool ask(struct exchange *exchange, const char *command, const char *arguments, struct failure *failure)
{
    char request[512];
    int length = snprintf(request, sizeof request, "{\"execute\":\"%s\",\"arguments\":{%s},\"id\":\"rmk-orphan\"}\n", command,
                          arguments);
    bool sent = send(exchange->socket, request, (size_t)length, MSG_NOSIGNAL) == length;
    while (sent && read_line(exchange))
        if (strstr(exchange->line, "\"id\": \"rmk-orphan\"") != NULL && strstr(exchange->line, "\"event\"") == NULL)
            return strstr(exchange->line, "\"error\": {") == NULL ||
                   fail(failure, FAILURE_STATE, "QEMU refused %s: %.300s", command, exchange->line);
    return fail(failure, FAILURE_STATE, "QEMU did not respond to %s", command);
}

static bool open_exchange(struct exchange *exchange, const char *path, struct failure *failure)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = ANSWER_LIMIT_S};
    if (strlen(path) >= sizeof address.sun_path)
        return fail(failure, FAILURE_INPUT, "the path of the QMP socket is too long");
    memcpy(address.sun_path, path, strlen(path) + 1);
    exchange->bytes = 0;
    exchange->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (exchange->socket < 0)
        return fail(failure, FAILURE_STATE, "no socket: %s", strerror(errno));
    setsockopt(exchange->socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(exchange->socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(exchange->socket, (struct sockaddr *)&address, sizeof address) == 0 && read_line(exchange) &&
        ask(exchange, "qmp_capabilities", "", failure))
        return true;
    close(exchange->socket);
    return fail(failure, FAILURE_STATE, "QEMU does not respond on %s", path);
}

static bool wait_for_job(struct exchange *exchange, struct failure *failure)
{
    uint64_t until_ns = monotonic_ns() + LOAD_LIMIT_NS;
    while (monotonic_ns() < until_ns) {
        if (!ask(exchange, "query-jobs", "", failure))
            return false;
        /* One object for each job, without objects in it. */
        for (const char *job = strstr(exchange->line, JOB_START); job != NULL; job = strstr(job + 1, JOB_START)) {
            const char *end = strchr(job, '}');
            const char *id = strstr(job, "\"id\": \"" JOB "\"");
            const char *concluded = strstr(job, "\"status\": \"concluded\"");
            const char *error = strstr(job, "\"error\"");
            if (end == NULL || id > end || concluded == NULL || concluded > end)
                continue;
            bool failed = error != NULL && error < end;
            return ask(exchange, "job-dismiss", "\"id\":\"" JOB "\"", failure) &&
                   (!failed || fail(failure, FAILURE_BROKEN, "QEMU could not load the snapshot"));
        }
        usleep(RETRY_US);
    }
    return fail(failure, FAILURE_BROKEN, "QEMU did not load the snapshot in time");
}

static bool is_in_state(const struct exchange *exchange, const char *state)
{
    const char *status = strstr(exchange->line, "\"status\": \"");
    return status != NULL && strncmp(status + strlen("\"status\": \""), state, strlen(state)) == 0;
}

/* QEMU resumes no VM in these states before a reset, which happens after the response to the command. */
static bool reset_if_needed(struct exchange *exchange, struct failure *failure)
{
    bool sent = false;
    uint64_t until_ns = monotonic_ns() + LOAD_LIMIT_NS;
    while (monotonic_ns() < until_ns) {
        if (!ask(exchange, "query-status", "", failure))
            return false;
        if (!is_in_state(exchange, "shutdown\"") && !is_in_state(exchange, "internal-error\"") &&
            !is_in_state(exchange, "suspended\""))
            return true;
        if (!sent && !ask(exchange, "system_reset", "", failure))
            return false;
        sent = true;
        usleep(RETRY_US);
    }
    return fail(failure, FAILURE_BROKEN, "QEMU did not reset the VM in time");
}

bool qmp_commands_load(const char *socket_path, struct failure *failure)
{
    static struct exchange exchange;
    if (!open_exchange(&exchange, socket_path, failure))
        return false;
    bool done = reset_if_needed(&exchange, failure) &&
                ask(&exchange, "snapshot-load",
                    "\"job-id\":\"" JOB "\",\"tag\":\"" SNAPSHOT_TAG "\",\"vmstate\":\"" SNAPSHOT_NODE
                    "\",\"devices\":[\"" SNAPSHOT_NODE "\"]",
                    failure) &&
                wait_for_job(&exchange, failure);
    close(exchange.socket);
    return done;
}

bool qmp_commands_resume(const char *socket_path, bool restored, struct failure *failure)
{
    static struct exchange exchange;
    if (!open_exchange(&exchange, socket_path, failure))
        return false;
    bool done = ask(&exchange, "query-status", "", failure);
    bool paused = is_in_state(&exchange, "paused\"") || is_in_state(&exchange, "restore-vm\"");
    if (done && (paused || restored))
        done = ask(&exchange, "cont", "", failure);
    close(exchange.socket);
    return done;
}
