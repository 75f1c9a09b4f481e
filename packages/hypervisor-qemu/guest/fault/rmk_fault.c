// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the kernel fail on demand: the name of a failure, written to /proc/rmk_fault, is what happens to it.
 * Each one ends the kernel as it is; only a rollback from outside brings it back.
 */
#include <linux/bug.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/proc_fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define PROC_NAME "rmk_fault"
#define LONGEST_NAME 32

static void fail_panic(void)
{
	panic("rmk_fault: panic on demand");
}

/* A dereference of a null pointer: an oops, and with oops=panic a panic. */
static void fail_oops(void)
{
	int *volatile nowhere = NULL;

	*(volatile int *)nowhere = 1;
}

static void fail_bug(void)
{
	BUG();
}

/* Busy with interrupts off: no timer tick, no page is written any more. */
static void fail_hang(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

/* Busy with preemption off: the tick goes on, and nothing else. */
static void fail_spin(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

/* Asleep with interrupts off: nothing wakes it. */
static void fail_halt(void)
{
	local_irq_disable();
	for (;;)
		asm volatile("hlt");
}

/* An exception without any handler table: the processor gives up and asks the board for a reset. */
static void fail_triple_fault(void)
{
	static const struct {
		u16 limit;
		u64 base;
	} __packed no_table;

	asm volatile("lidt %0; int3" : : "m"(no_table));
}

static const struct {
	const char *name;
	void (*fail)(void);
} failures[] = {
	{ "panic", fail_panic },
	{ "oops", fail_oops },
	{ "bug", fail_bug },
	{ "hang", fail_hang },
	{ "spin", fail_spin },
	{ "halt", fail_halt },
	{ "triple-fault", fail_triple_fault },
};

static ssize_t fault_write(struct file *file, const char __user *text, size_t count, loff_t *position)
{
	char name[LONGEST_NAME] = "";
	size_t index;

	if (count >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, text, count))
		return -EFAULT;
	for (index = 0; index < ARRAY_SIZE(failures); index++) {
		if (strcmp(strim(name), failures[index].name) == 0) {
			failures[index].fail();
			return count;
		}
	}
	return -EINVAL;
}

static const struct proc_ops fault_operations = { .proc_write = fault_write };

static int __init fault_init(void)
{
	return proc_create(PROC_NAME, 0200, NULL, &fault_operations) ? 0 : -ENOMEM;
}

static void __exit fault_exit(void)
{
	remove_proc_entry(PROC_NAME, NULL);
}

module_init(fault_init);
module_exit(fault_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes the kernel fail on demand, to test who protects it");
