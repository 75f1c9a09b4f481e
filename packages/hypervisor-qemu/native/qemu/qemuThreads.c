#include "qemu/qemuThreads.h"

#include "qemu/qemuFunctions.h"

#include <semaphore.h>

struct request {
    void (*work)(void *data);
    void *data;
    sem_t done;
};

static void execute(void *data)
{
    struct request *request = data;
    request->work(request->data);
    sem_post(&request->done);
}

static void execute_on_vcpu(void *cpu, run_on_cpu_data data)
{
    (void)cpu;
    execute(data.host_ptr);
}

static void wait_for(struct request *request)
{
    while (sem_wait(&request->done) != 0)
        continue;
    sem_destroy(&request->done);
}

void run_on_vcpu(void (*work)(void *data), void *data)
{
    struct request request = {.work = work, .data = data};
    sem_init(&request.done, 0, 0);
    qemu.async_run_on_cpu(qemu.qemu_get_cpu(0), execute_on_vcpu, (run_on_cpu_data){.host_ptr = &request});
    wait_for(&request);
}

void run_in_main_loop(void (*work)(void *data), void *data)
{
    struct request request = {.work = work, .data = data};
    sem_init(&request.done, 0, 0);
    qemu.aio_bh_schedule_oneshot_full(qemu.qemu_get_aio_context(), execute, &request, "rmk");
    wait_for(&request);
}
