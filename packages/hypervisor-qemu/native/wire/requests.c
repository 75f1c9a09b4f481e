#include "wire/requests.h"

#include "checkpoint.h"
#include "qmp/qmpControl.h"
#include "qemu/qemuFunctions.h"
#include "rollback.h"

#include <stdlib.h>
#include <unistd.h>

/* One request being executed: its payload, and the parts of its response. */
struct request {
    struct library *library;
    struct protection *protection;
    const uint8_t *payload;
    size_t length;
    struct iovec parts[4];
    size_t part_count;
    struct failure failure;
    struct page_set set;      /* frames of a response */
    uint32_t *numbers;        /* freed once the response is sent */
    union {
        struct hello_payload hello;
        struct checkpoint_payload checkpoint;
        struct count_payload count;
    } response;
    char text[sizeof((struct failure *)0)->message];
    uint32_t differences[MAX_DIFFERENCES];
    void (*finish)(struct request *request); /* what remains to be done after the response */
};

static void respond_with(struct request *request, const void *data, size_t length)
{
    request->parts[request->part_count++] = (struct iovec){(void *)(uintptr_t)data, length};
}

/* The payload is exactly this long, or at least, where `more` follows. */
static const void *read_payload(struct request *request, size_t bytes, bool more)
{
    if (request->length == bytes || (more && request->length > bytes))
        return request->payload;
    fail(&request->failure, FAILURE_MALFORMED, "the request has a payload of %zu bytes, not of %zu", request->length, bytes);
    return NULL;
}

static bool is_active(struct request *request)
{
    return request->protection->active || fail(&request->failure, FAILURE_STATE, "protection has not been started");
}

static uint32_t respond_with_frames(struct request *request, const struct page_set *set)
{
    uint32_t count = page_set_count(set);
    request->numbers = malloc((count + 1) * sizeof *request->numbers);
    if (request->numbers == NULL) {
        fail(&request->failure, FAILURE_MEMORY, "QEMU's process is out of memory");
        return 0;
    }
    uint32_t index = 0;
    for_each_page(set, frame) {
        request->numbers[index++] = frame;
    }
    respond_with(request, request->numbers, count * sizeof *request->numbers);
    return count;
}

static bool new_set(struct request *request)
{
    request->set.word_count = page_set_words(request->library->guest.pages);
    request->set.words = calloc(request->set.word_count, sizeof *request->set.words);
    return request->set.words != NULL || fail(&request->failure, FAILURE_MEMORY, "QEMU's process is out of memory");
}

static bool hello(struct request *request)
{
    struct library *library = request->library;
    if (read_payload(request, 0, false) == NULL ||
        (library->guest.base == NULL && !guest_memory_find(&library->guest, library->ram_path, &request->failure)))
        return false;
    if (request->protection->active)
        return fail(&request->failure, FAILURE_STATE, "protection has been started already");
    struct failure why_not = {.code = FAILURE_NONE};
    request->response.hello.ram_bytes = guest_bytes(&library->guest);
    request->response.hello.process = (uint32_t)getpid();
    request->response.hello.in_process = qemu_functions_find(&library->guest, &why_not);
    respond_with(request, &request->response.hello, sizeof request->response.hello);
    memcpy(request->text, why_not.message, sizeof request->text);
    respond_with(request, request->text, why_not.code == FAILURE_NONE ? 0 : strlen(request->text));
    return true;
}

static bool start(struct request *request)
{
    const struct start_payload *options = read_payload(request, sizeof *options, false);
    struct library *library = request->library;
    if (options == NULL ||
        (library->guest.base == NULL && !guest_memory_find(&library->guest, library->ram_path, &request->failure)))
        return false;
    request->protection->connection = &library->connection;
    request->protection->guest = &library->guest;
    return protection_start(request->protection, options, library->shared_folder, &request->failure);
}

static bool use_snapshot(struct request *request)
{
    const struct snapshot_payload *payload = read_payload(request, sizeof *payload, true);
    return payload != NULL && is_active(request) &&
           qmp_control_use_snapshot(request->protection, request->payload, request->length, &request->failure);
}

static bool change_settings(struct request *request)
{
    const struct settings_payload *settings = read_payload(request, sizeof *settings, false);
    if (settings == NULL || !is_active(request))
        return false;
    request->protection->options.settings = settings->settings;
    return true;
}

static void finish_checkpoint(struct request *request)
{
    checkpoint_finish(request->protection, &request->response.checkpoint);
}

static void finish_rollback(struct request *request)
{
    rollback_finish(request->protection);
}

static bool respond_with_checkpoint(struct request *request)
{
    struct checkpoint_payload *result = &request->response.checkpoint;
    respond_with(request, result, sizeof *result);
    if (result->closed_log == 0)
        return true;
    result->frame_count = respond_with_frames(request, &request->protection->logs.closed);
    respond_with(request, request->differences, result->difference_count * sizeof *request->differences);
    return request->failure.code == FAILURE_NONE;
}

static bool checkpoint(struct request *request)
{
    if (read_payload(request, 0, false) == NULL || !is_active(request) ||
        !checkpoint_take(request->protection, &request->response.checkpoint, &request->failure))
        return false;
    request->finish = finish_checkpoint;
    return respond_with_checkpoint(request);
}

static bool rollback(struct request *request)
{
    const struct rollback_payload *payload = read_payload(request, sizeof *payload, true);
    if (payload == NULL || !is_active(request))
        return false;
    size_t rest = request->length - sizeof *payload;
    if (rest == 0 || rest % sizeof(uint64_t) != 0 || rest / sizeof(uint64_t) > MAX_LOGS)
        return fail(&request->failure, FAILURE_MALFORMED, "a rollback needs 1 to %d logs", MAX_LOGS);
    const struct rollback_target target = {.state = payload->state,
                                           .logs = (const uint64_t *)(const void *)(payload + 1),
                                           .log_count = (uint32_t)(rest / sizeof(uint64_t))};
    if (!rollback_do(request->protection, &target, &request->response.checkpoint, request->differences,
                     &request->failure))
        return false;
    request->finish = finish_rollback;
    return respond_with_checkpoint(request);
}

static struct page_log *find_log(struct request *request)
{
    const struct handle_payload *payload = read_payload(request, sizeof *payload, false);
    if (payload == NULL || !is_active(request))
        return NULL;
    return page_logs_find(&request->protection->logs, payload->handle, &request->failure);
}

static struct device_state *find_state(struct request *request)
{
    const struct handle_payload *payload = read_payload(request, sizeof *payload, false);
    if (payload == NULL || !is_active(request))
        return NULL;
    return device_states_find(&request->protection->states, payload->handle, &request->failure);
}

static bool frames(struct request *request)
{
    struct page_log *log = find_log(request);
    struct page_logs *logs = &request->protection->logs;
    uint32_t ignored;
    if (log == NULL || !new_set(request))
        return false;
    /* Of the open log: all pages known to be written, also those without an entry for lack of room. */
    if (log == logs->open && !protection_sweep(request->protection, &ignored, &request->failure) &&
        request->failure.code != FAILURE_LOG_FULL)
        return false;
    request->failure.code = FAILURE_NONE;
    for (uint32_t slot = log->head; slot != NO_SLOT; slot = logs->records[slot].next)
        page_set_add(&request->set, logs->records[slot].frame);
    if (log == logs->open)
        page_set_unite(&request->set, &logs->pending);
    respond_with_frames(request, &request->set);
    return request->failure.code == FAILURE_NONE;
}

static bool page(struct request *request)
{
    const struct page_payload *payload = read_payload(request, sizeof *payload, false);
    if (payload == NULL || !is_active(request))
        return false;
    struct page_logs *logs = &request->protection->logs;
    const struct page_log *log = page_logs_find(logs, payload->log, &request->failure);
    if (log == NULL)
        return false;
    for (uint32_t slot = log->head; slot != NO_SLOT; slot = logs->records[slot].next) {
        if (logs->records[slot].frame == payload->frame) {
            respond_with(request, slot_page(logs, slot), PAGE_BYTES);
            return true;
        }
    }
    return true;
}

static bool verify_log(struct request *request)
{
    const struct page_log *log = find_log(request);
    if (log == NULL || !new_set(request))
        return false;
    page_logs_verify(&request->protection->logs, log, &request->set);
    respond_with_frames(request, &request->set);
    return request->failure.code == FAILURE_NONE;
}

static bool verify_state(struct request *request)
{
    const struct device_state *state = find_state(request);
    if (state == NULL)
        return false;
    request->response.count.count = device_states_is_intact(&request->protection->states, state);
    respond_with(request, &request->response.count, sizeof request->response.count);
    return true;
}

static bool state_stream(struct request *request)
{
    const struct device_state *state = find_state(request);
    const struct device_states *states = &request->protection->states;
    if (state == NULL)
        return false;
    respond_with(request, device_states_bytes(states, state->buffer), states->buffers[state->buffer].bytes);
    return true;
}

static bool release_log(struct request *request)
{
    struct page_log *log = find_log(request);
    if (log == NULL)
        return false;
    page_logs_release(&request->protection->logs, log);
    return true;
}

static bool release_state(struct request *request)
{
    struct device_state *state = find_state(request);
    if (state == NULL)
        return false;
    device_states_release(&request->protection->states, state);
    return true;
}

static bool write_memory(struct request *request)
{
    const struct write_payload *payload = read_payload(request, sizeof *payload, true);
    if (payload == NULL || !is_active(request))
        return false;
    return protection_write(request->protection, payload, (const uint8_t *)(payload + 1),
                            request->length - sizeof *payload, &request->failure);
}

static bool written(struct request *request)
{
    uint32_t ignored;
    if (read_payload(request, 0, false) == NULL || !is_active(request))
        return false;
    if (request->protection->tracking && !protection_sweep(request->protection, &ignored, &request->failure) &&
        request->failure.code != FAILURE_LOG_FULL)
        return false;
    request->response.count.count = request->protection->written_pages;
    request->protection->written_pages = 0;
    respond_with(request, &request->response.count, sizeof request->response.count);
    return true;
}

static bool memory_replaced(struct request *request)
{
    if (read_payload(request, 0, false) == NULL || !is_active(request))
        return false;
    page_logs_start_over(&request->protection->logs);
    return true;
}

static bool execute(struct request *request, uint16_t kind)
{
    switch (kind) {
    case KIND_HELLO:
        return hello(request);
    case KIND_START:
        return start(request);
    case KIND_SNAPSHOT:
        return use_snapshot(request);
    case KIND_SETTINGS:
        return change_settings(request);
    case KIND_CHECKPOINT:
        return checkpoint(request);
    case KIND_ROLLBACK:
        return rollback(request);
    case KIND_FRAMES:
        return frames(request);
    case KIND_PAGE:
        return page(request);
    case KIND_VERIFY_LOG:
        return verify_log(request);
    case KIND_VERIFY_STATE:
        return verify_state(request);
    case KIND_RELEASE_LOG:
        return release_log(request);
    case KIND_RELEASE_STATE:
        return release_state(request);
    case KIND_WRITE:
        return write_memory(request);
    case KIND_WRITTEN:
        return written(request);
    case KIND_STATE:
        return state_stream(request);
    case KIND_REPLACED:
        return memory_replaced(request);
    case KIND_END:
        return read_payload(request, 0, false) != NULL;
    default:
        return fail(&request->failure, FAILURE_MALFORMED, "request %u is unknown", kind);
    }
}

static bool report_loss(struct library *library)
{
    char *reason = library->protection.lost_reason;
    struct iovec part = {reason, strlen(reason)};
    bool sent = reason[0] == '\0' || connection_send(&library->connection, KIND_LOST, 0, &part, 1);
    reason[0] = '\0';
    return sent;
}

static bool respond(struct request *request, uint64_t sequence, bool done)
{
    struct connection *connection = &request->library->connection;
    if (done)
        return connection_send(connection, KIND_RESPONSE, sequence, request->parts, request->part_count);
    struct failure_payload payload = {.code = (uint32_t)request->failure.code};
    struct iovec parts[] = {{&payload, sizeof payload}, {request->failure.message, strlen(request->failure.message)}};
    return connection_send(connection, KIND_FAILURE, sequence, parts, 2);
}

bool requests_serve(struct library *library)
{
    static struct request request; /* large; one thread serves */
    struct frame_header header;

    while (connection_receive(&library->connection, &header, library->payload)) {
        memset(&request, 0, sizeof request);
        request.library = library;
        request.protection = &library->protection;
        request.payload = library->payload;
        request.length = header.length;
        bool done = execute(&request, header.kind);
        bool ended = done && header.kind == KIND_END;
        if (ended)
            protection_end(&library->protection, false);
        bool connected = report_loss(library) && respond(&request, header.sequence, done);
        if (request.finish != NULL)
            request.finish(&request);
        free(request.numbers);
        free(request.set.words);
        if (ended)
            return false;
        /* A malformed request gets a response and ends the connection. */
        if (!connected || request.failure.code == FAILURE_MALFORMED)
            break;
    }
    return true;
}
