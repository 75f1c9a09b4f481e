/*
 * Loaded into QEMU by LD_PRELOAD. Configured by its environment:
 *   RMK_LIBRARY_SOCKET  where to listen for RMK: in a private folder on /dev/shm, which gets the shared memory too
 *   RMK_RAM_FILE        the file of guest RAM
 */
#include "wire/requests.h"

#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct library library;

static void *serve(void *unused)
{
    (void)unused;
    for (;;) {
        connection_accept(&library.connection);
        bool orphaned = requests_serve(&library);
        protection_end(&library.protection, orphaned);
        connection_close(&library.connection);
    }
    return NULL;
}

/* A wrapper that starts QEMU (taskset, for instance) does not start the library, and passes it on. */
static bool is_qemu(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    return strncmp(basename(path), "qemu", 4) == 0;
}

static void exit_with(const char *what, const char *why)
{
    fprintf(stderr, "rmk: %s: %s\n", what, why);
    _exit(1);
}

static void start_thread(void)
{
    sigset_t all, before;
    pthread_t thread;
    pthread_attr_t attributes;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int error = pthread_create(&thread, &attributes, serve, NULL);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        exit_with("no thread could be started", strerror(error));
}

__attribute__((constructor)) static void load(void)
{
    const char *socket_path = getenv("RMK_LIBRARY_SOCKET");
    const char *ram_path = getenv("RMK_RAM_FILE");

    if (socket_path == NULL || ram_path == NULL || !is_qemu())
        return;
    unsetenv("LD_PRELOAD"); /* children of QEMU must not load it */
    library.ram_path = strdup(ram_path);
    char *own = strdup(socket_path);
    if (library.ram_path == NULL || own == NULL)
        exit_with("start", "out of memory");
    library.shared_folder = dirname(own);
    const char *problem = connection_listen(&library.connection, socket_path);
    if (problem != NULL)
        exit_with(socket_path, problem);
    start_thread();
}
