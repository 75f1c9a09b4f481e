/*
 * What the library says to QEMU by QMP itself: only when RMK died and left the VM stopped, or in the middle of a rollback.
 * The socket should be one of the library's own (a second -qmp): QEMU serves one client at a time on each, and on RMK's the
 * next RMK process may have come first.
 */
#pragma once

#include "failure.h"

/* Completes a rollback: loads the snapshot whose device state has been put in place. */
bool qmp_dialog_load(const char *socket_path, struct failure *failure);
/* Lets the VM run on where it is paused, or was stopped for a rollback that is complete (`restored`). */
bool qmp_dialog_run_on(const char *socket_path, bool restored, struct failure *failure);
