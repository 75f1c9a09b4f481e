#include "store/sharedArea.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool shared_area_create(struct shared_area *area, const char *folder, const char *name, size_t bytes,
                        struct failure *failure)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s.%d", folder, name, (int)getpid());
    if (length < 0 || (size_t)length >= sizeof path)
        return fail(failure, FAILURE_INPUT, "the path of the folder for shared memory is too long: %s", folder);
    unlink(path);
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return fail(failure, FAILURE_MEMORY, "%s cannot be created: %s", path, strerror(errno));
    unlink(path);
    int error = posix_fallocate(file, 0, (off_t)bytes);
    if (error != 0) {
        close(file);
        return fail(failure, FAILURE_MEMORY,
                    "no space for %zu MiB of %s in %s (%s): give it more room (mount -o remount,size=...), or ask for a "
                    "smaller log or a smaller guest",
                    (bytes + 1048575) / 1048576, name, folder, strerror(error));
    }
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    if (base == MAP_FAILED) {
        error = errno;
        close(file);
        return fail(failure, FAILURE_MEMORY, "%zu MiB of %s cannot be mapped: %s", (bytes + 1048575) / 1048576, name,
                    strerror(error));
    }
    *area = (struct shared_area){.base = base, .bytes = bytes, .file = file};
    return true;
}

void shared_area_destroy(struct shared_area *area)
{
    if (area->base == NULL)
        return;
    munmap(area->base, area->bytes);
    close(area->file);
    area->base = NULL;
}
