#include "track/writeProtection.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of some distributions. */
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

struct scanned_region {
    uint64_t start, end, categories;
};

struct scan_arguments {
    uint64_t size, flags, start, end, walk_end, regions, region_count, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN _IOWR('f', 16, struct scan_arguments)
#define SCAN_PROTECT_MATCHING (1u << 0)
#define SCAN_CHECK_ASYNCHRONOUS (1u << 1)
#define CATEGORY_WRITTEN (1u << 1)

#define FEATURES                                                                                                      \
    (UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM | UFFD_FEATURE_WP_UNPOPULATED |                 \
     UFFD_FEATURE_WP_ASYNC)
#define REGIONS 4096

static struct {
    const struct guest_memory *guest;
    int faults;  /* the userfaultfd; -1 while nothing is protected */
    int pagemap;
    struct scanned_region regions[REGIONS];
} tracked = {.faults = -1, .pagemap = -1};

/* Not of user mode only: the kernel writes guest RAM too, for devices. */
static int open_userfaultfd(struct failure *failure)
{
    int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    if (faults < 0) {
        int reason = errno;
        int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
        if (device >= 0) {
            faults = ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
            close(device);
        }
        if (faults < 0) {
            fail(failure, FAILURE_UNSUPPORTED,
                 "the kernel gives no userfaultfd (%s): run QEMU as root, let it open /dev/userfaultfd, or set "
                 "vm.unprivileged_userfaultfd=1",
                 strerror(reason));
            return -1;
        }
    }
    struct uffdio_api api = {.api = UFFD_API, .features = FEATURES};
    if (ioctl(faults, UFFDIO_API, &api) != 0) {
        close(faults);
        fail(failure, FAILURE_UNSUPPORTED, "the kernel has no asynchronous write protection (since Linux 6.7)");
        return -1;
    }
    return faults;
}

bool write_protection_is_possible(struct failure *failure)
{
    int faults = open_userfaultfd(failure);
    if (faults >= 0)
        close(faults);
    return faults >= 0;
}

static void stop(void)
{
    /* Closing it takes back registration and protection. */
    if (tracked.faults >= 0)
        close(tracked.faults);
    if (tracked.pagemap >= 0)
        close(tracked.pagemap);
    tracked.faults = tracked.pagemap = -1;
}

static bool start(const struct guest_memory *guest, struct failure *failure)
{
    tracked.guest = guest;
    tracked.faults = open_userfaultfd(failure);
    if (tracked.faults < 0)
        return false;
    tracked.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    struct uffdio_range range = {.start = (uintptr_t)guest->base, .len = guest_bytes(guest)};
    struct uffdio_register registration = {.range = range, .mode = UFFDIO_REGISTER_MODE_WP};
    struct uffdio_writeprotect protection = {.range = range, .mode = UFFDIO_WRITEPROTECT_MODE_WP};
    bool done = tracked.pagemap >= 0 && ioctl(tracked.faults, UFFDIO_REGISTER, &registration) == 0;
    while (done && ioctl(tracked.faults, UFFDIO_WRITEPROTECT, &protection) != 0)
        done = errno == EAGAIN;
    if (!done) {
        fail(failure, FAILURE_UNSUPPORTED, "guest RAM cannot be write-protected: %s", strerror(errno));
        stop();
    }
    return done;
}

static bool take(struct page_set *found, struct failure *failure)
{
    uint64_t base = (uintptr_t)tracked.guest->base;
    uint64_t end = base + guest_bytes(tracked.guest);
    for (uint64_t at = base; at < end;) {
        struct scan_arguments scan = {.size = sizeof scan,
                                      .flags = SCAN_PROTECT_MATCHING | SCAN_CHECK_ASYNCHRONOUS,
                                      .start = at,
                                      .end = end,
                                      .regions = (uintptr_t)tracked.regions,
                                      .region_count = REGIONS,
                                      .category_mask = CATEGORY_WRITTEN,
                                      .return_mask = CATEGORY_WRITTEN};
        int regions = ioctl(tracked.pagemap, SCAN, &scan);
        if (regions < 0 && errno == EINTR)
            continue;
        if (regions < 0 || regions > REGIONS || scan.walk_end <= at)
            return fail(failure, FAILURE_UNSUPPORTED, "the kernel cannot report which pages were written: %s",
                        strerror(errno));
        for (int index = 0; index < regions; index++)
            for (uint64_t page = tracked.regions[index].start; page < tracked.regions[index].end; page += PAGE_BYTES)
                page_set_add(found, (uint32_t)((page - base) / PAGE_BYTES));
        at = scan.walk_end;
    }
    return true;
}

const struct tracker write_protection_tracker = {
    .start = start,
    .take = take,
    .stop = stop,
};
