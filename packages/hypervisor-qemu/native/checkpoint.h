/* Ending an epoch: the first cut copies all of RAM beforehand; each later one costs what was written. */
#pragma once

#include "control.h"

/* Fills in `cut`; the pages written are in `logs.closed`. Where it fails, the old epoch is still open. */
bool checkpoint_take(struct protection *protection, struct cut_payload *cut, struct failure *failure);
/* What a cut leaves to be done once it was answered: checksums. */
void checkpoint_finish(struct protection *protection, const struct cut_payload *cut);

/* For controls, in the pause: takes in what was written, and does the audit; the device state is saved by the control. */
bool cut_capture(struct cutting *cutting);
/* For controls, last in the pause: the call at the cut. */
void cut_conclude(struct cutting *cutting);
