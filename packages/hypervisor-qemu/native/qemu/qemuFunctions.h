/*
 * QEMU's own functions, which the executable exports for its modules, looked up by name. Signatures are those of QEMU
 * 7.2; which versions are taken is decided in qemuFunctions.c, and nothing is called where the version or a symbol is
 * unknown. No field of a structure of QEMU is read, but for those listed in the README with how each is checked.
 */
#pragma once

#include "failure.h"
#include "store/guestMemory.h"

#include <stddef.h>
#include <stdint.h>

typedef union {
    int host_int;
    unsigned long host_ulong;
    void *host_ptr;
    uint64_t target_ptr;
} run_on_cpu_data;

struct qemu_enum_lookup {
    const char *const *array;
    const unsigned char *special_features;
    int size;
};

struct qemu_version_triple {
    int64_t major, minor, micro;
};

struct qemu_version_info {
    struct qemu_version_triple *qemu;
    char *package;
};

/* X(result, name, arguments) */
#define QEMU_FUNCTIONS(X)                                                                                             \
    X(bool, phase_check, (int phase))                                                                                 \
    X(struct qemu_version_info *, qmp_query_version, (void **error))                                                  \
    X(void, qapi_free_VersionInfo, (struct qemu_version_info * version))                                              \
    X(const char *, current_accel_name, (void))                                                                       \
    X(int, qapi_enum_parse, (const struct qemu_enum_lookup *lookup, const char *name, int otherwise, void **error))   \
    X(void, rcu_register_thread, (void))                                                                              \
    X(void, rcu_unregister_thread, (void))                                                                            \
    X(void *, qemu_get_cpu, (int index))                                                                              \
    X(void, async_run_on_cpu, (void *cpu, void (*work)(void *cpu, run_on_cpu_data data), run_on_cpu_data data))        \
    X(void *, qemu_get_aio_context, (void))                                                                           \
    X(void, aio_bh_schedule_oneshot_full, (void *context, void (*work)(void *data), void *data, const char *name))    \
    X(int, ram_block_discard_disable, (bool disable))                                                                 \
    X(void, bdrv_drain_all, (void))                                                                                   \
    X(void, cpu_disable_ticks, (void))                                                                                \
    X(void, cpu_enable_ticks, (void))                                                                                 \
    X(bool, runstate_check, (int state))                                                                              \
    X(bool, runstate_is_running, (void))                                                                              \
    X(bool, runstate_needs_reset, (void))                                                                             \
    X(void, runstate_set, (int state))                                                                                \
    X(int, vm_stop, (int state))                                                                                      \
    X(void, vm_start, (void))                                                                                         \
    X(void, qemu_system_reset, (int cause))                                                                           \
    X(void, global_state_store_running, (void))                                                                       \
    X(void *, qio_channel_file_new_fd, (int file))                                                                    \
    X(void *, qemu_file_new_output, (void *channel))                                                                  \
    X(void *, qemu_file_new_input, (void *channel))                                                                   \
    X(int, qemu_fclose, (void *file))                                                                                 \
    X(void, object_unref, (void *object))                                                                             \
    X(int, qemu_save_device_state, (void *file))                                                                      \
    X(int, qemu_load_device_state, (void *file))                                                                      \
    X(void, memory_region_transaction_begin, (void))                                                                  \
    X(void, memory_region_transaction_commit, (void))                                                                 \
    X(void *, memory_region_from_host, (void *host, uint64_t *offset))                                                \
    X(void *, memory_region_get_ram_ptr, (void *region))                                                              \
    X(uint64_t, memory_region_get_ram_addr, (void *region))                                                           \
    X(uint64_t, memory_region_size, (void *region))                                                                   \
    X(void, memory_global_dirty_log_start, (unsigned flags))                                                          \
    X(void, memory_global_dirty_log_stop, (unsigned flags))                                                           \
    X(uint64_t *, cpu_physical_memory_snapshot_and_clear_dirty,                                                       \
      (void *region, uint64_t offset, uint64_t length, unsigned client))                                              \
    X(void, cpu_physical_memory_rw, (uint64_t address, void *data, uint64_t length, bool write))                      \
    X(void, g_free, (void *memory))

#define X(result, name, arguments) result(*name) arguments;
struct qemu_functions {
    QEMU_FUNCTIONS(X)
    /* Values of QEMU's enumerations, looked up by their names. */
    int state_paused;
    int state_prelaunch;
    int state_suspended;
    int state_restore_vm;
    int cause_snapshot_load;
};
#undef X

extern struct qemu_functions qemu;

/*
 * Finds the functions, and checks version, accelerator, number of vCPUs and memory region; `failure` has the reason
 * otherwise. Not for a thread that is registered with QEMU's RCU already. Before QEMU's main loop runs, nothing but the
 * phase of its start is looked at.
 */
bool qemu_functions_find(const struct guest_memory *guest, struct failure *failure);
