#include "qmpDialog.h"

#include "monotonic.h"
#include "snapshotFile.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* For each answer; on a socket of its own QEMU answers at once. */
#define ANSWER_LIMIT_S 2
#define LOAD_LIMIT_NS 30000000000u
#define RETRY_US 10000
#define JOB "rmk-orphan"
#define JOB_START "{\"current-progress\""

struct dialog {
    int socket;
    size_t bytes;
    char text[65536]; /* received and not yet read; then the line that was read */
    char line[65536];
};

/* One line of JSON; events are lines as well. */
static bool read_line(struct dialog *dialog)
{
    for (;;) {
        char *end = memchr(dialog->text, '\n', dialog->bytes);
        if (end != NULL) {
            size_t length = (size_t)(end - dialog->text) + 1;
            memcpy(dialog->line, dialog->text, length);
            dialog->line[length - 1] = '\0';
            dialog->bytes -= length;
            memmove(dialog->text, dialog->text + length, dialog->bytes);
            return true;
        }
        if (dialog->bytes == sizeof dialog->text)
            return false;
        ssize_t got = recv(dialog->socket, dialog->text + dialog->bytes, sizeof dialog->text - dialog->bytes, 0);
        if (got <= 0)
            return false;
        dialog->bytes += (size_t)got;
    }
}

/* The answer is in `line` then: QEMU gives the id back. */
static bool ask(struct dialog *dialog, const char *command, const char *arguments, struct failure *failure)
{
    char order[512];
    int length = snprintf(order, sizeof order, "{\"execute\":\"%s\",\"arguments\":{%s},\"id\":\"rmk-orphan\"}\n", command,
                          arguments);
    bool sent = send(dialog->socket, order, (size_t)length, MSG_NOSIGNAL) == length;
    while (sent && read_line(dialog))
        if (strstr(dialog->line, "\"id\": \"rmk-orphan\"") != NULL && strstr(dialog->line, "\"event\"") == NULL)
            return strstr(dialog->line, "\"error\": {") == NULL ||
                   fail(failure, FAILURE_STATE, "QEMU refused %s: %.300s", command, dialog->line);
    return fail(failure, FAILURE_STATE, "QEMU did not answer %s", command);
}

static bool open_dialog(struct dialog *dialog, const char *path, struct failure *failure)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = ANSWER_LIMIT_S};
    if (strlen(path) >= sizeof address.sun_path)
        return fail(failure, FAILURE_INPUT, "the path of the QMP socket is too long");
    memcpy(address.sun_path, path, strlen(path) + 1);
    dialog->bytes = 0;
    dialog->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (dialog->socket < 0)
        return fail(failure, FAILURE_STATE, "no socket: %s", strerror(errno));
    setsockopt(dialog->socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(dialog->socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(dialog->socket, (struct sockaddr *)&address, sizeof address) == 0 && read_line(dialog) &&
        ask(dialog, "qmp_capabilities", "", failure))
        return true;
    close(dialog->socket);
    return fail(failure, FAILURE_STATE, "QEMU does not answer on %s", path);
}

static bool wait_for_job(struct dialog *dialog, struct failure *failure)
{
    uint64_t until_ns = monotonic_ns() + LOAD_LIMIT_NS;
    while (monotonic_ns() < until_ns) {
        if (!ask(dialog, "query-jobs", "", failure))
            return false;
        /* One object for each job, without objects in it. */
        for (const char *job = strstr(dialog->line, JOB_START); job != NULL; job = strstr(job + 1, JOB_START)) {
            const char *end = strchr(job, '}');
            const char *id = strstr(job, "\"id\": \"" JOB "\"");
            const char *concluded = strstr(job, "\"status\": \"concluded\"");
            const char *error = strstr(job, "\"error\"");
            if (end == NULL || id > end || concluded == NULL || concluded > end)
                continue;
            bool failed = error != NULL && error < end;
            return ask(dialog, "job-dismiss", "\"id\":\"" JOB "\"", failure) &&
                   (!failed || fail(failure, FAILURE_BROKEN, "QEMU could not load the snapshot"));
        }
        usleep(RETRY_US);
    }
    return fail(failure, FAILURE_BROKEN, "QEMU did not load the snapshot in time");
}

bool qmp_dialog_load(const char *socket_path, struct failure *failure)
{
    static struct dialog dialog;
    if (!open_dialog(&dialog, socket_path, failure))
        return false;
    bool done = ask(&dialog, "snapshot-load",
                    "\"job-id\":\"" JOB "\",\"tag\":\"" SNAPSHOT_TAG "\",\"vmstate\":\"" SNAPSHOT_NODE
                    "\",\"devices\":[\"" SNAPSHOT_NODE "\"]",
                    failure) &&
                wait_for_job(&dialog, failure);
    close(dialog.socket);
    return done;
}

bool qmp_dialog_run_on(const char *socket_path, bool restored, struct failure *failure)
{
    static struct dialog dialog;
    if (!open_dialog(&dialog, socket_path, failure))
        return false;
    bool done = ask(&dialog, "query-status", "", failure);
    bool paused = strstr(dialog.line, "\"status\": \"paused\"") != NULL ||
                  strstr(dialog.line, "\"status\": \"restore-vm\"") != NULL;
    if (done && (paused || restored))
        done = ask(&dialog, "cont", "", failure);
    close(dialog.socket);
    return done;
}
