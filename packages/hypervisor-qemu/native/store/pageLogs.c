#include "store/pageLogs.h"

#include "store/checksum.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Bump allocation in the area, each part aligned to a cache line. */
static void *take(uint8_t **at, size_t bytes)
{
    void *part = *at;
    *at += (bytes + 63) & ~(size_t)63;
    return part;
}

static void take_set(struct page_set *set, uint8_t **at, uint32_t pages)
{
    set->word_count = page_set_words(pages);
    set->words = take(at, set->word_count * sizeof *set->words);
}

bool page_logs_create(struct page_logs *logs, const struct guest_memory *guest, const char *folder, uint32_t log_pages,
                      struct failure *failure)
{
    if (log_pages == 0 || log_pages > NO_SLOT - 1 - guest->pages)
        return fail(failure, FAILURE_INPUT, "a log area of %u pages is not possible", log_pages);
    size_t slot_count = (size_t)guest->pages + log_pages;
    size_t set_bytes = page_set_words(guest->pages) * sizeof(uint64_t) + 64;
    size_t bytes = slot_count * (PAGE_BYTES + sizeof(struct slot_record)) +
                   3 * ((size_t)guest->pages * sizeof(uint32_t) + 64) + 5 * set_bytes + 4096;

    memset(logs, 0, sizeof *logs);
    if (!shared_area_create(&logs->area, folder, "page-logs", bytes, failure))
        return false;
    logs->guest = guest;
    logs->log_pages = log_pages;

    uint8_t *at = logs->area.base;
    logs->slots = take(&at, slot_count * PAGE_BYTES);
    logs->records = take(&at, slot_count * sizeof *logs->records);
    logs->shadow = take(&at, guest->pages * sizeof *logs->shadow);
    logs->open_entry = take(&at, guest->pages * sizeof *logs->open_entry);
    logs->plan = take(&at, guest->pages * sizeof *logs->plan);
    take_set(&logs->epoch, &at, guest->pages);
    take_set(&logs->closed, &at, guest->pages);
    take_set(&logs->pending, &at, guest->pages);
    take_set(&logs->found, &at, guest->pages);
    take_set(&logs->planned, &at, guest->pages);

    memset(logs->open_entry, 0xff, guest->pages * sizeof *logs->open_entry);
    memset(logs->plan, 0xff, guest->pages * sizeof *logs->plan);
    for (uint32_t frame = 0; frame < guest->pages; frame++) {
        logs->shadow[frame] = frame;
        logs->records[frame].frame = frame;
    }
    logs->free_head = NO_SLOT;
    for (uint32_t slot = (uint32_t)slot_count; slot-- > guest->pages;) {
        logs->records[slot].next = logs->free_head;
        logs->free_head = slot;
    }
    logs->free_count = log_pages;
    return true;
}

void page_logs_destroy(struct page_logs *logs)
{
    shared_area_destroy(&logs->area);
    memset(logs, 0, sizeof *logs);
}

void page_logs_copy_all(struct page_logs *logs)
{
    const struct guest_memory *guest = logs->guest;
    size_t bytes = guest_bytes(guest);
    off_t at = 0;

    while ((size_t)at < bytes) {
        off_t data = lseek(guest->file, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break; /* nothing but a hole follows */
        off_t hole = data < 0 ? -1 : lseek(guest->file, data, SEEK_HOLE);
        if (data < 0 || hole < 0) {
            data = at;
            hole = (off_t)bytes;
        }
        if ((size_t)hole > bytes)
            hole = (off_t)bytes;
        uint32_t last = (uint32_t)(((size_t)hole + PAGE_BYTES - 1) / PAGE_BYTES);
        for (uint32_t frame = (uint32_t)((size_t)data / PAGE_BYTES); frame < last; frame++)
            memcpy(slot_page(logs, logs->shadow[frame]), guest_page(guest, frame), PAGE_BYTES);
        at = hole;
    }
    page_set_add_all(&logs->epoch, guest->pages);
}

static uint32_t entries_needed(const struct page_logs *logs, const struct page_set *found)
{
    uint32_t needed = 0;
    if (logs->open == NULL)
        return 0;
    for_each_page(found, frame) {
        if (logs->open_entry[frame] == NO_SLOT)
            needed++;
    }
    return needed;
}

static void give_entry(struct page_logs *logs, uint32_t frame)
{
    uint32_t fresh = logs->free_head;
    uint32_t prior = logs->shadow[frame];

    logs->free_head = logs->records[fresh].next;
    logs->free_count--;
    logs->records[fresh].frame = frame;
    logs->shadow[frame] = fresh;

    logs->records[prior].next = logs->open->head;
    logs->open->head = prior;
    logs->open->count++;
    logs->open_entry[frame] = prior;
}

bool page_logs_capture(struct page_logs *logs, const struct page_set *found, struct failure *failure)
{
    page_set_unite(&logs->pending, found);
    uint32_t needed = entries_needed(logs, &logs->pending);
    if (needed > logs->free_count)
        return fail(failure, FAILURE_LOG_FULL, "the epoch needs %u pages more for prior contents, %u of %u are free",
                    needed, logs->free_count, logs->log_pages);
    for_each_page(&logs->pending, frame) {
        if (logs->open != NULL && logs->open_entry[frame] == NO_SLOT)
            give_entry(logs, frame);
        memcpy(slot_page(logs, logs->shadow[frame]), guest_page(logs->guest, frame), PAGE_BYTES);
    }
    page_set_unite(&logs->epoch, &logs->pending);
    page_set_clear(&logs->pending);
    return true;
}

bool page_logs_can_open(const struct page_logs *logs, struct failure *failure)
{
    for (size_t place = 0; place < MAX_LOGS; place++)
        if (logs->logs[place].id == 0)
            return true;
    return fail(failure, FAILURE_LOG_FULL, "%d logs are kept already: release some", MAX_LOGS);
}

struct page_log *page_logs_open(struct page_logs *logs, uint64_t state, uint64_t predecessor)
{
    if (logs->open != NULL)
        for (uint32_t slot = logs->open->head; slot != NO_SLOT; slot = logs->records[slot].next)
            logs->open_entry[logs->records[slot].frame] = NO_SLOT;

    struct page_set written = logs->epoch;
    logs->epoch = logs->closed;
    logs->closed = written;
    page_set_clear(&logs->epoch);

    logs->open = NULL;
    for (size_t place = 0; place < MAX_LOGS && logs->open == NULL; place++)
        if (logs->logs[place].id == 0)
            logs->open = &logs->logs[place];
    if (logs->open != NULL)
        *logs->open = (struct page_log){
            .id = ++logs->last_id, .state = state, .predecessor = predecessor, .head = NO_SLOT, .count = 0};
    return logs->open;
}

void page_logs_sum(struct page_logs *logs)
{
    for_each_page(&logs->closed, frame) {
        uint32_t slot = logs->shadow[frame];
        logs->records[slot].checksum = checksum(slot_page(logs, slot), PAGE_BYTES);
    }
    page_set_clear(&logs->closed);
}

struct page_log *page_logs_find(struct page_logs *logs, uint64_t id, struct failure *failure)
{
    for (size_t place = 0; id != 0 && place < MAX_LOGS; place++)
        if (logs->logs[place].id == id)
            return &logs->logs[place];
    fail(failure, FAILURE_RELEASED, "page log %llu was released, or never was", (unsigned long long)id);
    return NULL;
}

void page_logs_release(struct page_logs *logs, struct page_log *log)
{
    bool open = log == logs->open;
    for (uint32_t slot = log->head; slot != NO_SLOT;) {
        struct slot_record *record = &logs->records[slot];
        uint32_t next = record->next;
        if (open)
            logs->open_entry[record->frame] = NO_SLOT;
        record->next = logs->free_head;
        logs->free_head = slot;
        logs->free_count++;
        slot = next;
    }
    log->id = 0;
    if (open)
        logs->open = NULL;
}

void page_logs_release_all(struct page_logs *logs)
{
    for (size_t place = 0; place < MAX_LOGS; place++)
        if (logs->logs[place].id != 0)
            page_logs_release(logs, &logs->logs[place]);
}

void page_logs_start_over(struct page_logs *logs)
{
    page_logs_release_all(logs);
    page_set_add_all(&logs->pending, logs->guest->pages);
}

bool page_logs_slot_is_intact(const struct page_logs *logs, uint32_t slot)
{
    return checksum(slot_page(logs, slot), PAGE_BYTES) == logs->records[slot].checksum;
}

void page_logs_verify(struct page_logs *logs, const struct page_log *log, struct page_set *damaged)
{
    for (uint32_t slot = log->head; slot != NO_SLOT; slot = logs->records[slot].next)
        if (!page_logs_slot_is_intact(logs, slot))
            page_set_add(damaged, logs->records[slot].frame);
}
