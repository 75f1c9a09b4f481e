// A program that imports a third party's plugin: its event is known, with its payload.
import type { Domain, EventName } from '@rmk/core';
import { silentCorruptionDetector, type RegionCorrupted } from '@rmk/silent-corruption-detector';

export const plugins = [
  silentCorruptionDetector({ regions: [{ name: 'code', address: 0x8000_0000, bytes: 4096 }] }),
];

export const name: EventName = 'EVT_REGIONCORRUPTED';

export function listen({ bus }: Domain): void {
  bus.on('EVT_REGIONCORRUPTED', (event) => {
    const payload: RegionCorrupted = event;
    const { source, sequence }: { readonly source: string; readonly sequence: number } = event;
    return void [payload, source, sequence];
  });
  // @ts-expect-error nothing of the payload is given
  bus.topic('EVT_REGIONCORRUPTED').publish({});
}
