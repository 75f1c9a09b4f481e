/* What wire/requests.c needs of control by QMP besides struct control. */
#pragma once

#include "protection.h"

/* KIND_SNAPSHOT: see protocol.h. */
bool qmp_control_use_snapshot(struct protection *protection, const uint8_t *payload, size_t length,
                                 struct failure *failure);
