/*
 * QMP commands that the library sends itself: only if RMK died and left the VM paused, or in the middle of a rollback.
 * The socket should be one of the library's own (a second -qmp): QEMU serves one client at a time on each, and on RMK's
 * the next RMK process may have come first.
 */
#pragma once

#include "failure.h"

/* Completes a rollback: loads the snapshot whose device state has been put in place. */
bool qmp_commands_load(const char *socket_path, struct failure *failure);
/* Resumes the VM if it is paused, or was paused for a rollback that is complete (`restored`). */
bool qmp_commands_resume(const char *socket_path, bool restored, struct failure *failure);
