/* Saving and loading device state by QEMU's functions, under its lock, while no vCPU executes. */
#pragma once

#include "store/deviceStates.h"

/* Into a buffer; its size is noted there. */
bool device_state_save(struct device_states *states, uint32_t buffer, struct failure *failure);
bool device_state_load(const struct device_states *states, uint32_t buffer, struct failure *failure);
