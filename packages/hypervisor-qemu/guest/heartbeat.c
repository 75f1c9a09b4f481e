/*
 * Writes a beat into the virtio-serial port "heartbeat" every 20 ms: a line with the number of the beat. A beat that
 * the port does not take is left out, so that a host which does not read never stops the guest.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BEAT_NS = 20 * 1000 * 1000, SECOND_NS = 1000 * 1000 * 1000, PORTS = 32 };

/* Finds /dev/vport*p* by the name that QEMU's command line gave to the port. */
static int open_port(const char *wanted)
{
	for (int device = 0; device < PORTS; device++) {
		for (int port = 0; port < PORTS; port++) {
			char path[64];
			char name[64] = "";
			snprintf(path, sizeof path, "/sys/class/virtio-ports/vport%dp%d/name", device, port);
			FILE *file = fopen(path, "r");
			if (file == NULL)
				continue;
			const char *line = fgets(name, sizeof name, file);
			fclose(file);
			if (line == NULL)
				continue;
			name[strcspn(name, "\n")] = '\0';
			if (strcmp(name, wanted) != 0)
				continue;
			snprintf(path, sizeof path, "/dev/vport%dp%d", device, port);
			return open(path, O_WRONLY | O_NONBLOCK);
		}
	}
	return -1;
}

int main(void)
{
	int port = open_port("heartbeat");
	if (port < 0) {
		fputs("heartbeat: there is no such virtio-serial port; nothing beats\n", stderr);
		return 1;
	}
	for (unsigned long beat = 1;; beat++) {
		char line[32];
		int length = snprintf(line, sizeof line, "%lu\n", beat);
		/* From now on, not from the last beat: time that jumps in a rollback brings no burst of beats. */
		struct timespec pause = { .tv_sec = BEAT_NS / SECOND_NS, .tv_nsec = BEAT_NS % SECOND_NS };
		ssize_t written = write(port, line, (size_t)length);
		(void)written;
		nanosleep(&pause, NULL);
	}
}
