#include "orders.h"

#include "checkpoint.h"
#include "controlByQmp.h"
#include "qemuFunctions.h"
#include "rollback.h"
#include "writeProtection.h"

#include <stdlib.h>
#include <unistd.h>

/* One order being carried out: its payload, and the parts of its answer. */
struct order {
    struct library *library;
    struct protection *protection;
    const uint8_t *payload;
    size_t length;
    struct iovec parts[4];
    size_t part_count;
    struct failure failure;
    struct page_set set;      /* frames of an answer */
    uint32_t *numbers;        /* freed once the answer is sent */
    union {
        struct hello_payload hello;
        struct cut_payload cut;
        struct count_payload count;
    } answer;
    char text[sizeof((struct failure *)0)->message];
    uint32_t differences[MAX_DIFFERENCES];
    void (*finish)(struct order *order); /* what is left to be done after the answer */
};

static void answer_with(struct order *order, const void *data, size_t length)
{
    order->parts[order->part_count++] = (struct iovec){(void *)(uintptr_t)data, length};
}

/* The payload is exactly this long, or at least, where `more` follows. */
static const void *read_payload(struct order *order, size_t bytes, bool more)
{
    if (order->length == bytes || (more && order->length > bytes))
        return order->payload;
    fail(&order->failure, FAILURE_MALFORMED, "the order has a payload of %zu bytes, not of %zu", order->length, bytes);
    return NULL;
}

static bool is_active(struct order *order)
{
    return order->protection->active || fail(&order->failure, FAILURE_STATE, "protection has not been started");
}

static uint32_t answer_frames(struct order *order, const struct page_set *set)
{
    uint32_t count = page_set_count(set);
    order->numbers = malloc((count + 1) * sizeof *order->numbers);
    if (order->numbers == NULL) {
        fail(&order->failure, FAILURE_MEMORY, "QEMU's process is out of memory");
        return 0;
    }
    uint32_t index = 0;
    for_each_page(set, frame) {
        order->numbers[index++] = frame;
    }
    answer_with(order, order->numbers, count * sizeof *order->numbers);
    return count;
}

static bool new_set(struct order *order)
{
    order->set.word_count = page_set_words(order->library->guest.pages);
    order->set.words = calloc(order->set.word_count, sizeof *order->set.words);
    return order->set.words != NULL || fail(&order->failure, FAILURE_MEMORY, "QEMU's process is out of memory");
}

static bool hello(struct order *order)
{
    struct library *library = order->library;
    if (read_payload(order, 0, false) == NULL ||
        (library->guest.base == NULL && !guest_memory_find(&library->guest, library->ram_path, &order->failure)))
        return false;
    if (order->protection->active)
        return fail(&order->failure, FAILURE_STATE, "protection has been started already");
    struct failure why_not = {.code = FAILURE_NONE}, no_protection;
    order->answer.hello.ram_bytes = guest_bytes(&library->guest);
    order->answer.hello.process = (uint32_t)getpid();
    order->answer.hello.in_process = qemu_functions_find(&library->guest, &why_not);
    order->answer.hello.write_protection = write_protection_is_possible(&no_protection);
    answer_with(order, &order->answer.hello, sizeof order->answer.hello);
    memcpy(order->text, why_not.message, sizeof order->text);
    answer_with(order, order->text, why_not.code == FAILURE_NONE ? 0 : strlen(order->text));
    return true;
}

static bool start(struct order *order)
{
    const struct start_payload *options = read_payload(order, sizeof *options, false);
    struct library *library = order->library;
    if (options == NULL ||
        (library->guest.base == NULL && !guest_memory_find(&library->guest, library->ram_path, &order->failure)))
        return false;
    order->protection->connection = &library->connection;
    order->protection->guest = &library->guest;
    return protection_start(order->protection, options, library->shared_folder, &order->failure);
}

static bool use_snapshot(struct order *order)
{
    const struct snapshot_payload *payload = read_payload(order, sizeof *payload, true);
    return payload != NULL && is_active(order) &&
           control_by_qmp_use_snapshot(order->protection, order->payload, order->length, &order->failure);
}

static bool change_settings(struct order *order)
{
    const struct settings_payload *settings = read_payload(order, sizeof *settings, false);
    if (settings == NULL || !is_active(order))
        return false;
    order->protection->options.settings = settings->settings;
    return true;
}

static void finish_checkpoint(struct order *order)
{
    checkpoint_finish(order->protection, &order->answer.cut);
}

static void finish_rollback(struct order *order)
{
    rollback_finish(order->protection);
}

static bool answer_cut(struct order *order)
{
    struct cut_payload *cut = &order->answer.cut;
    answer_with(order, cut, sizeof *cut);
    if (cut->closed_log == 0)
        return true;
    cut->frame_count = answer_frames(order, &order->protection->logs.closed);
    answer_with(order, order->differences, cut->difference_count * sizeof *order->differences);
    return order->failure.code == FAILURE_NONE;
}

static bool checkpoint(struct order *order)
{
    if (read_payload(order, 0, false) == NULL || !is_active(order) ||
        !checkpoint_take(order->protection, &order->answer.cut, &order->failure))
        return false;
    order->finish = finish_checkpoint;
    return answer_cut(order);
}

static bool rollback(struct order *order)
{
    const struct rollback_payload *payload = read_payload(order, sizeof *payload, true);
    if (payload == NULL || !is_active(order))
        return false;
    size_t rest = order->length - sizeof *payload;
    if (rest == 0 || rest % sizeof(uint64_t) != 0 || rest / sizeof(uint64_t) > MAX_LOGS)
        return fail(&order->failure, FAILURE_MALFORMED, "a rollback needs 1 to %d logs", MAX_LOGS);
    const struct rollback_target target = {.state = payload->state,
                                           .logs = (const uint64_t *)(const void *)(payload + 1),
                                           .log_count = (uint32_t)(rest / sizeof(uint64_t))};
    if (!rollback_do(order->protection, &target, &order->answer.cut, order->differences, &order->failure))
        return false;
    order->finish = finish_rollback;
    return answer_cut(order);
}

static struct page_log *find_log(struct order *order)
{
    const struct handle_payload *payload = read_payload(order, sizeof *payload, false);
    if (payload == NULL || !is_active(order))
        return NULL;
    return page_logs_find(&order->protection->logs, payload->handle, &order->failure);
}

static struct device_state *find_state(struct order *order)
{
    const struct handle_payload *payload = read_payload(order, sizeof *payload, false);
    if (payload == NULL || !is_active(order))
        return NULL;
    return device_states_find(&order->protection->states, payload->handle, &order->failure);
}

static bool frames(struct order *order)
{
    struct page_log *log = find_log(order);
    struct page_logs *logs = &order->protection->logs;
    uint32_t ignored;
    if (log == NULL || !new_set(order))
        return false;
    /* The open log is asked for what is known to be written: those without an entry for want of room count too. */
    if (log == logs->open && !protection_sweep(order->protection, &ignored, &order->failure) &&
        order->failure.code != FAILURE_LOG_FULL)
        return false;
    order->failure.code = FAILURE_NONE;
    for (uint32_t slot = log->head; slot != NO_SLOT; slot = logs->records[slot].next)
        page_set_add(&order->set, logs->records[slot].frame);
    if (log == logs->open)
        page_set_unite(&order->set, &logs->pending);
    answer_frames(order, &order->set);
    return order->failure.code == FAILURE_NONE;
}

static bool page(struct order *order)
{
    const struct page_payload *payload = read_payload(order, sizeof *payload, false);
    if (payload == NULL || !is_active(order))
        return false;
    struct page_logs *logs = &order->protection->logs;
    const struct page_log *log = page_logs_find(logs, payload->log, &order->failure);
    if (log == NULL)
        return false;
    for (uint32_t slot = log->head; slot != NO_SLOT; slot = logs->records[slot].next) {
        if (logs->records[slot].frame == payload->frame) {
            answer_with(order, slot_page(logs, slot), PAGE_BYTES);
            return true;
        }
    }
    return true;
}

static bool verify_log(struct order *order)
{
    const struct page_log *log = find_log(order);
    if (log == NULL || !new_set(order))
        return false;
    page_logs_verify(&order->protection->logs, log, &order->set);
    answer_frames(order, &order->set);
    return order->failure.code == FAILURE_NONE;
}

static bool verify_state(struct order *order)
{
    const struct device_state *state = find_state(order);
    if (state == NULL)
        return false;
    order->answer.count.count = device_states_is_sound(&order->protection->states, state);
    answer_with(order, &order->answer.count, sizeof order->answer.count);
    return true;
}

static bool state_stream(struct order *order)
{
    const struct device_state *state = find_state(order);
    const struct device_states *states = &order->protection->states;
    if (state == NULL)
        return false;
    answer_with(order, device_states_bytes(states, state->buffer), states->buffers[state->buffer].bytes);
    return true;
}

static bool release_log(struct order *order)
{
    struct page_log *log = find_log(order);
    if (log == NULL)
        return false;
    page_logs_release(&order->protection->logs, log);
    return true;
}

static bool release_state(struct order *order)
{
    struct device_state *state = find_state(order);
    if (state == NULL)
        return false;
    device_states_release(&order->protection->states, state);
    return true;
}

static bool write_memory(struct order *order)
{
    const struct write_payload *payload = read_payload(order, sizeof *payload, true);
    if (payload == NULL || !is_active(order))
        return false;
    return protection_write(order->protection, payload->address, (const uint8_t *)(payload + 1),
                            order->length - sizeof *payload, &order->failure);
}

static bool written(struct order *order)
{
    uint32_t ignored;
    if (read_payload(order, 0, false) == NULL || !is_active(order))
        return false;
    if (order->protection->tracking && !protection_sweep(order->protection, &ignored, &order->failure) &&
        order->failure.code != FAILURE_LOG_FULL)
        return false;
    order->answer.count.count = order->protection->written_pages;
    order->protection->written_pages = 0;
    answer_with(order, &order->answer.count, sizeof order->answer.count);
    return true;
}

static bool memory_replaced(struct order *order)
{
    if (read_payload(order, 0, false) == NULL || !is_active(order))
        return false;
    page_logs_begin_anew(&order->protection->logs);
    return true;
}

static bool carry_out(struct order *order, uint16_t kind)
{
    switch (kind) {
    case KIND_HELLO:
        return hello(order);
    case KIND_START:
        return start(order);
    case KIND_SNAPSHOT:
        return use_snapshot(order);
    case KIND_SETTINGS:
        return change_settings(order);
    case KIND_CHECKPOINT:
        return checkpoint(order);
    case KIND_ROLLBACK:
        return rollback(order);
    case KIND_FRAMES:
        return frames(order);
    case KIND_PAGE:
        return page(order);
    case KIND_VERIFY_LOG:
        return verify_log(order);
    case KIND_VERIFY_STATE:
        return verify_state(order);
    case KIND_RELEASE_LOG:
        return release_log(order);
    case KIND_RELEASE_STATE:
        return release_state(order);
    case KIND_WRITE:
        return write_memory(order);
    case KIND_WRITTEN:
        return written(order);
    case KIND_STATE:
        return state_stream(order);
    case KIND_REPLACED:
        return memory_replaced(order);
    case KIND_END:
        return read_payload(order, 0, false) != NULL;
    default:
        return fail(&order->failure, FAILURE_MALFORMED, "order %u is unknown", kind);
    }
}

static bool tell_of_loss(struct library *library)
{
    char *reason = library->protection.lost_reason;
    struct iovec part = {reason, strlen(reason)};
    bool told = reason[0] == '\0' || connection_send(&library->connection, KIND_LOST, 0, &part, 1);
    reason[0] = '\0';
    return told;
}

static bool answer_order(struct order *order, uint64_t sequence, bool done)
{
    struct connection *connection = &order->library->connection;
    if (done)
        return connection_send(connection, KIND_ANSWER, sequence, order->parts, order->part_count);
    struct failure_payload payload = {.code = (uint32_t)order->failure.code};
    struct iovec parts[] = {{&payload, sizeof payload}, {order->failure.message, strlen(order->failure.message)}};
    return connection_send(connection, KIND_FAILURE, sequence, parts, 2);
}

bool orders_serve(struct library *library)
{
    static struct order order; /* large; one thread serves */
    struct frame_header header;

    while (connection_receive(&library->connection, &header, library->payload)) {
        memset(&order, 0, sizeof order);
        order.library = library;
        order.protection = &library->protection;
        order.payload = library->payload;
        order.length = header.length;
        bool done = carry_out(&order, header.kind);
        bool orderly_end = done && header.kind == KIND_END;
        if (orderly_end)
            protection_end(&library->protection, false);
        bool connected = tell_of_loss(library) && answer_order(&order, header.sequence, done);
        if (order.finish != NULL)
            order.finish(&order);
        free(order.numbers);
        free(order.set.words);
        if (orderly_end)
            return false;
        /* A malformed order is answered, and nothing more is believed. */
        if (!connected || order.failure.code == FAILURE_MALFORMED)
            break;
    }
    return true;
}
