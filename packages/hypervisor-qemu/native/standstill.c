#include "standstill.h"

#include "qemuFunctions.h"

#include <semaphore.h>

struct order {
    void (*work)(void *data);
    void *data;
    sem_t done;
};

static void carry_out(void *data)
{
    struct order *order = data;
    order->work(order->data);
    sem_post(&order->done);
}

static void carry_out_on_vcpu(void *cpu, run_on_cpu_data data)
{
    (void)cpu;
    carry_out(data.host_ptr);
}

static void wait_for(struct order *order)
{
    while (sem_wait(&order->done) != 0)
        continue;
    sem_destroy(&order->done);
}

void run_on_vcpu(void (*work)(void *data), void *data)
{
    struct order order = {.work = work, .data = data};
    sem_init(&order.done, 0, 0);
    qemu.async_run_on_cpu(qemu.qemu_get_cpu(0), carry_out_on_vcpu, (run_on_cpu_data){.host_ptr = &order});
    wait_for(&order);
}

void run_in_main_loop(void (*work)(void *data), void *data)
{
    struct order order = {.work = work, .data = data};
    sem_init(&order.done, 0, 0);
    qemu.aio_bh_schedule_oneshot_full(qemu.qemu_get_aio_context(), carry_out, &order, "rmk");
    wait_for(&order);
}
