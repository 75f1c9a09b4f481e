#include "qemu/qemuFunctions.h"

#include <dlfcn.h>
#include <string.h>

#define PHASE_MACHINE_READY 4

struct qemu_functions qemu;

/* Versions whose signatures are those above. A distribution's patch level does not change them. */
static const struct {
    int64_t major, minor;
} known_versions[] = {{7, 2}};

static bool find_symbols(struct failure *failure)
{
    const struct {
        const char *name;
        void **place;
    } symbols[] = {
#define X(result, name, arguments) {#name, (void **)&qemu.name},
        QEMU_FUNCTIONS(X)
#undef X
    };
    for (size_t index = 0; index < sizeof symbols / sizeof *symbols; index++) {
        *symbols[index].place = dlsym(RTLD_DEFAULT, symbols[index].name);
        if (*symbols[index].place == NULL)
            return fail(failure, FAILURE_UNSUPPORTED, "this QEMU does not export %s", symbols[index].name);
    }
    return true;
}

static bool check_version(struct failure *failure)
{
    struct qemu_version_info *info = qemu.qmp_query_version(NULL);
    struct qemu_version_triple version = *info->qemu;
    qemu.qapi_free_VersionInfo(info);
    for (size_t index = 0; index < sizeof known_versions / sizeof *known_versions; index++)
        if (known_versions[index].major == version.major && known_versions[index].minor == version.minor)
            return true;
    return fail(failure, FAILURE_UNSUPPORTED, "calls within QEMU %lld.%lld.%lld are not known, only within 7.2",
                (long long)version.major, (long long)version.minor, (long long)version.micro);
}

static bool find_values(struct failure *failure)
{
    const struct qemu_enum_lookup *states = dlsym(RTLD_DEFAULT, "RunState_lookup");
    const struct qemu_enum_lookup *causes = dlsym(RTLD_DEFAULT, "ShutdownCause_lookup");
    if (states == NULL || causes == NULL)
        return fail(failure, FAILURE_UNSUPPORTED, "this QEMU does not export its enumerations");
    qemu.state_paused = qemu.qapi_enum_parse(states, "paused", -1, NULL);
    qemu.state_prelaunch = qemu.qapi_enum_parse(states, "prelaunch", -1, NULL);
    qemu.state_suspended = qemu.qapi_enum_parse(states, "suspended", -1, NULL);
    qemu.state_restore_vm = qemu.qapi_enum_parse(states, "restore-vm", -1, NULL);
    qemu.cause_snapshot_load = qemu.qapi_enum_parse(causes, "snapshot-load", -1, NULL);
    if (qemu.state_paused < 0 || qemu.state_prelaunch < 0 || qemu.state_suspended < 0 || qemu.state_restore_vm < 0 ||
        qemu.cause_snapshot_load < 0)
        return fail(failure, FAILURE_UNSUPPORTED, "this QEMU lacks a run state or a cause of reset");
    return true;
}

static bool check_machine(const struct guest_memory *guest, struct failure *failure)
{
    const char *accelerator = qemu.current_accel_name();
    if (accelerator == NULL || strcmp(accelerator, "tcg") != 0)
        return fail(failure, FAILURE_UNSUPPORTED, "the accelerator is %s: only tcg is known to work",
                    accelerator == NULL ? "unknown" : accelerator);
    if (qemu.qemu_get_cpu(0) == NULL || qemu.qemu_get_cpu(1) != NULL)
        return fail(failure, FAILURE_UNSUPPORTED, "the VM must have one vCPU (-smp 1)");
    uint64_t offset = 1;
    void *region = qemu.memory_region_from_host(guest->base, &offset);
    if (region == NULL || offset != 0 || qemu.memory_region_get_ram_ptr(region) != guest->base ||
        qemu.memory_region_size(region) != guest_bytes(guest) ||
        qemu.memory_region_get_ram_addr(region) % PAGE_BYTES != 0)
        return fail(failure, FAILURE_UNSUPPORTED, "QEMU's memory region of guest RAM is not what is mapped");
    return true;
}

bool qemu_functions_find(const struct guest_memory *guest, struct failure *failure)
{
    if (!find_symbols(failure))
        return false;
    if (!qemu.phase_check(PHASE_MACHINE_READY))
        return fail(failure, FAILURE_STATE, "QEMU is still starting");
    qemu.rcu_register_thread(); /* memory regions are looked up */
    bool known = check_version(failure) && find_values(failure) && check_machine(guest, failure);
    qemu.rcu_unregister_thread();
    return known;
}
