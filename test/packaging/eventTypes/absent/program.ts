// A program that imports everything else of RMK, and not that plugin: nobody declares its event here.
import type * as cli from '@rmk/cli';
import type * as checkpoint from '@rmk/checkpoint';
import type { Domain, EventName } from '@rmk/core';
import type * as cowb from '@rmk/cowb';
import type * as cowp from '@rmk/cowp';
import type * as hangDetector from '@rmk/hang-detector';
import type * as kernel from '@rmk/kernel';
import type * as preset from '@rmk/preset-microcheckpoint';
import type * as recovery from '@rmk/recovery';

export type Everything = [
  typeof cli,
  typeof checkpoint,
  typeof cowb,
  typeof cowp,
  typeof hangDetector,
  typeof kernel,
  typeof preset,
  typeof recovery,
];

// @ts-expect-error there is no such event
export const name: EventName = 'EVT_REGIONCORRUPTED';

export function listen({ bus }: Domain): void {
  // @ts-expect-error there is no such event
  bus.on('EVT_REGIONCORRUPTED', () => {});
  // @ts-expect-error there is no such event
  bus.topic('EVT_REGIONCORRUPTED');
  bus.on('EVT_ERRORDETECTED', ({ kind }) => void kind);
}
