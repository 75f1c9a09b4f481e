import { BUS, CLOCK, INSTALLATION_STATE, OPTIONS, type Token } from '@rmk/core';

/** What every plugin can inject, whatever its manifest requires. */
export const GIVEN_TO_ALL: readonly Token<unknown>[] = [BUS, CLOCK, OPTIONS, INSTALLATION_STATE];
