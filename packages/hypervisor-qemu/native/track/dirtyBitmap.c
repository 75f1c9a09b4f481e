#include "track/dirtyBitmap.h"

#include "qemu/qemuFunctions.h"

/* QEMU's DIRTY_MEMORY_MIGRATION: nobody else clears these bits, as long as no migration runs. */
#define CLIENT_MIGRATION 2
/* QEMU's GLOBAL_DIRTY_DIRTY_RATE: one of the reasons for logging writes by DMA; not that of a migration. */
#define LOG_REASON 2u

static struct {
    const struct guest_memory *guest;
    void *region;
} tracked;

/*
 * The bits, which are clear from now on; to be freed. QEMU's DirtyBitmapSnapshot is two addresses, of its first byte
 * and of the byte after its last, and then the bits. The addresses are checked each time: they are those of the region,
 * aligned to what 64 bits stand for.
 */
static uint64_t *take_bits(struct failure *failure)
{
    const uint64_t word_bytes = 64 * PAGE_BYTES;
    uint64_t first = qemu.memory_region_get_ram_addr(tracked.region);
    uint64_t length = guest_bytes(tracked.guest);
    uint64_t *snapshot =
        qemu.cpu_physical_memory_snapshot_and_clear_dirty(tracked.region, 0, length, CLIENT_MIGRATION);
    uint64_t last = (first + length + word_bytes - 1) / word_bytes * word_bytes;
    if (first % word_bytes == 0 && snapshot[0] == first && snapshot[1] == last)
        return snapshot;
    qemu.g_free(snapshot);
    fail(failure, FAILURE_UNSUPPORTED, "QEMU's snapshot of its dirty bitmap is not laid out as expected");
    return NULL;
}

static bool take(struct page_set *found, struct failure *failure)
{
    uint64_t *snapshot = take_bits(failure);
    if (snapshot == NULL)
        return false;
    for (size_t word = 0; word < found->word_count; word++)
        found->words[word] |= snapshot[2 + word];
    qemu.g_free(snapshot);
    if (tracked.guest->pages % 64 != 0)
        found->words[found->word_count - 1] &= ((uint64_t)1 << (tracked.guest->pages % 64)) - 1;
    return true;
}

static bool start(const struct guest_memory *guest, struct failure *failure)
{
    uint64_t offset;
    tracked.guest = guest;
    tracked.region = qemu.memory_region_from_host(guest->base, &offset);
    qemu.memory_global_dirty_log_start(LOG_REASON);
    uint64_t *snapshot = take_bits(failure);
    if (snapshot != NULL)
        qemu.g_free(snapshot);
    return snapshot != NULL;
}

static void stop(void)
{
    qemu.memory_global_dirty_log_stop(LOG_REASON);
}

const struct tracker dirty_bitmap_tracker = {
    .start = start,
    .take = take,
    .stop = stop,
};
