import { describe, expect, it } from 'vitest';
import { ChannelStates } from '../src/run/channelStates.js';

function started(open: Record<string, boolean>) {
  const reports: [device: string, isOpen: boolean][] = [];
  const qemu = { open, isReplacing: false, queries: 0 };
  const states = new ChannelStates(
    async () => {
      qemu.queries++;
      return new Map(Object.entries(qemu.open));
    },
    () => qemu.isReplacing,
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

  it('waits until RMK has replaced the state of the devices, and looks again then, once', async () => {
    const { qemu, reports, states } = started({ heartbeat: true });
    await states.adopt();
    qemu.isReplacing = true;
    qemu.open = { heartbeat: false };
    await states.look();
    expect(reports).toEqual([]);
    qemu.isReplacing = false;
    await states.lookIfPostponed();
    await states.lookIfPostponed();
    expect(reports).toEqual([['heartbeat', false]]);
    expect(qemu.queries).toBe(3);
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
