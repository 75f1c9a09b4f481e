/* Ends an epoch. The first checkpoint copies all of RAM beforehand; each later one costs what was written. */
#pragma once

#include "control.h"

/* Fills in `result`; the pages written are in `logs.closed`. On failure the old epoch stays open. */
bool checkpoint_take(struct protection *protection, struct checkpoint_payload *result, struct failure *failure);
/* After the response: computes the checksums. */
void checkpoint_finish(struct protection *protection, const struct checkpoint_payload *result);

/* For controls, in the pause: captures what was written, and audits. The control saves the device state itself. */
bool checkpoint_capture(struct checkpoint_job *job);
/* For controls, last in the pause: the call to the client. */
void checkpoint_conclude(struct checkpoint_job *job);
