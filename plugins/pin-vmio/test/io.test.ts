import { P_VMIO, type Facts } from '@rmk/core';
import { startRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { pinVmio } from '../src/index.js';

/** Puts out what comes in, byte by byte. */
const ECHO = Uint32Array.of(
  0x1000_02b7, // lui t0, 0x10000: the UART
  0x0052_c303, // wait: lbu t1, 5(t0)
  0x0013_7313, // andi t1, t1, 1
  0xfe03_0ce3, // beqz t1, wait
  0x0002_c383, // lbu t2, 0(t0)
  0x0072_8023, // sb t2, 0(t0)
  0xfedf_f06f, // j wait
);

async function start() {
  const rig = await startRig({ guest: 'tasks', plugins: [pinVmio()] });
  const facts: Facts['output'][] = [];
  rig.machine.observe('output', (fact) => void facts.push(fact));
  return { rig, facts, io: rig.domain.get(P_VMIO) };
}

describe('P_VMIO', () => {
  it('publishes the output of the guest, all of it and in order', async () => {
    const { rig, facts } = await start();
    await rig.advance('600ms');
    const events = rig.events('EVT_VMOUTPUT');
    expect(events.length).toBeGreaterThan(1);
    expect(events).toEqual(facts);
    const text = events.map(({ data }) => new TextDecoder().decode(data)).join('');
    expect(text).toBe(rig.output);
    let position = 0;
    for (const event of events) {
      expect(event).toMatchObject({ device: 'uart', position, source: '@rmk/pin-vmio' });
      position += event.data.length;
    }
  });

  it('gives the guest input', async () => {
    const { rig, io } = await start();
    await rig.machine.write(Number(await rig.machine.readRegister('pc')), new Uint8Array(ECHO.buffer));
    await io.input('uart', new TextEncoder().encode('is anybody there?'));
    await rig.advance('1ms');
    expect(rig.output).toBe('is anybody there?');
  });

  it('refuses a device that the board does not have', async () => {
    const { io } = await start();
    await expect(io.input('keyboard', Uint8Array.of(1))).rejects.toMatchObject({ code: 'RMK_ERR_UNKNOWN' });
  });
});
