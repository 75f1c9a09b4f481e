#include "store/guestMemory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

bool guest_memory_find(struct guest_memory *memory, const char *path, struct failure *failure)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 || fstat(file, &status) != 0) {
        if (file >= 0)
            close(file);
        return fail(failure, FAILURE_STATE, "the file of guest RAM, %s, cannot be opened: %s", path, strerror(errno));
    }
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL) {
        close(file);
        return fail(failure, FAILURE_STATE, "/proc/self/maps cannot be read: %s", strerror(errno));
    }
    memory->base = NULL;
    size_t bytes = 0;
    char line[4096 + 128];
    while (fgets(line, sizeof line, maps) != NULL) {
        uint64_t start, end, offset, inode;
        unsigned device_major, device_minor;
        char permissions[5];
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64, &start, &end, permissions, &offset,
                   &device_major, &device_minor, &inode) != 7)
            continue;
        bool same = inode == status.st_ino && makedev(device_major, device_minor) == status.st_dev;
        if (!same || strcmp(permissions, "rw-s") != 0)
            continue;
        /* Advice on a part of it splits the mapping: adjacent pieces make one. */
        if (memory->base == NULL && offset == 0) {
            memory->base = (uint8_t *)(uintptr_t)start;
            bytes = end - start;
        } else if (memory->base != NULL && memory->base + bytes == (uint8_t *)(uintptr_t)start && offset == bytes) {
            bytes += end - start;
        }
    }
    fclose(maps);
    if (memory->base == NULL || bytes != (size_t)status.st_size || bytes % PAGE_BYTES != 0 ||
        bytes / PAGE_BYTES > UINT32_MAX / 2) {
        close(file);
        return fail(failure, FAILURE_STATE,
                    "QEMU does not map %s as shared guest RAM in one piece: use -object memory-backend-file,share=on", path);
    }
    memory->pages = (uint32_t)(bytes / PAGE_BYTES);
    memory->file = file;
    return true;
}
