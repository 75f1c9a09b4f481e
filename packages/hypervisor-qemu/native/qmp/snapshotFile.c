#include "qmp/snapshotFile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool snapshot_file_open(struct snapshot_file *snapshot, const char *folder, const char *path, struct failure *failure)
{
    size_t length = strlen(folder);
    struct stat status;
    if (strncmp(path, folder, length) != 0 || path[length] != '/' || strchr(path + length + 1, '/') != NULL)
        return fail(failure, FAILURE_INPUT, "the snapshot file %s is not in %s", path, folder);
    int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        if (file >= 0)
            close(file);
        return fail(failure, FAILURE_STATE, "%s cannot be opened: %s", path, strerror(errno));
    }
    for (uint32_t index = 0; index < snapshot->cluster_count; index++) {
        uint64_t offset = snapshot->clusters[index];
        if (offset == 0 || offset % snapshot->cluster_bytes != 0 ||
            offset > (uint64_t)status.st_size - snapshot->cluster_bytes) {
            close(file);
            return fail(failure, FAILURE_INPUT, "cluster %u of %s lies outside of the file", index, path);
        }
    }
    snapshot_file_close(snapshot);
    snapshot->file = file;
    return true;
}

void snapshot_file_close(struct snapshot_file *snapshot)
{
    if (snapshot->file >= 0)
        close(snapshot->file);
    snapshot->file = -1;
}

bool snapshot_file_put(const struct snapshot_file *snapshot, const uint8_t *stream, size_t bytes,
                       struct failure *failure)
{
    if (snapshot->file < 0)
        return fail(failure, FAILURE_STATE, "there is no snapshot to load device state by");
    if (bytes > (size_t)snapshot->cluster_bytes * snapshot->cluster_count)
        return fail(failure, FAILURE_STATE, "a device state of %zu bytes does not fit into the snapshot", bytes);
    for (size_t done = 0; done < bytes;) {
        size_t piece = bytes - done < snapshot->cluster_bytes ? bytes - done : snapshot->cluster_bytes;
        off_t offset = (off_t)snapshot->clusters[done / snapshot->cluster_bytes];
        if (pwrite(snapshot->file, stream + done, piece, offset) != (ssize_t)piece)
            return fail(failure, FAILURE_STATE, "the snapshot cannot be written: %s", strerror(errno));
        done += piece;
    }
    return true;
}
