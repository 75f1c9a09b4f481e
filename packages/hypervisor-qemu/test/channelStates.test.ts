import { describe, expect, it } from 'vitest';
import { ChannelStates } from '../src/run/channelStates.js';

function started(open: Record<string, boolean>) {
  const reports: [device: string, isOpen: boolean][] = [];
  const qemu = { open, replacing: 0, queries: 0 };
  const states = new ChannelStates(
    async () => {
      qemu.queries++;
      return new Map(Object.entries(qemu.open));
    },
    () => qemu.replacing-- > 0,
    (device, isOpen) => reports.push([device, isOpen]),
  );
  return { qemu, reports, states };
}

describe('ChannelStates', () => {
  it('reports each change once, a first opening too', async () => {
    const { qemu, reports, states } = started({ heartbeat: true, other: false });
    await states.look();
    await states.look();
    qemu.open = { heartbeat: false, other: false };
    await states.look();
    expect(reports).toEqual([
      ['heartbeat', true],
      ['heartbeat', false],
    ]);
  });

  it('takes what it finds at the start for known', async () => {
    const { reports, states } = started({ heartbeat: true });
    await states.adopt();
    await states.look();
    expect(reports).toEqual([]);
  });

  it('looks again while RMK itself replaces the state of the devices', async () => {
    const { qemu, reports, states } = started({ heartbeat: true });
    await states.adopt();
    qemu.replacing = 2;
    qemu.open = { heartbeat: false };
    await states.look();
    expect(qemu.queries).toBe(4);
    expect(reports).toEqual([['heartbeat', false]]);
  });

  it('reports nothing of a look during which the state was replaced', async () => {
    const { qemu, reports, states } = started({ heartbeat: true });
    await states.adopt();
    qemu.open = { heartbeat: false };
    const looking = states.look();
    states.discard();
    await looking;
    expect(reports).toEqual([]);
    await states.look();
    expect(reports).toEqual([['heartbeat', false]]);
  });
});
