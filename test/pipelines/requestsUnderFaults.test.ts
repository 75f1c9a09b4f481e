import { P_VCPU } from '@rmk/core';
import { ServerModel } from '@rmk/guests';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { outputTranscript, requestReport, scriptClients, startRig } from '@rmk/testing';
import { expect, it } from 'vitest';

it('a crash costs no request and doubles none, but for those whose answers had left', async () => {
  const { requests, input } = scriptClients([
    { name: 'ann', startAt: '4ms', every: '10ms', requests: Array.from({ length: 50 }, () => 'incr visits') },
    { name: 'bob', startAt: '9ms', every: '10ms', requests: Array.from({ length: 50 }, () => 'get visits') },
  ]);
  const rig = await startRig({ guest: 'server', machine: { input }, plugins: microcheckpoint() });
  await rig.advance('333ms');
  await rig.domain.get(P_VCPU).writeRegister('pc', 0n);
  await rig.advance('400ms');

  const model = new ServerModel();
  const expected = requests.map(({ id, line }) => ({ id, answer: model.answer(line) }));
  const { committed, wire } = requestReport(expected, outputTranscript(rig));
  expect(committed).toMatchObject({ answered: 100, lost: [], duplicated: [], wrong: [] });
  // Rolled back from 333 to 250 ms: what was answered in between is answered again, and alike.
  expect(wire).toMatchObject({ answered: 83, lost: [], wrong: [] });
  expect(wire.duplicated).toHaveLength(17);
  const [first] = wire.duplicated;
  expect(first?.id).toBe('bob-25');
  expect(first?.answers).toMatchObject([
    { text: 'bob-25 ok 25', struckAtNs: rig.events('EVT_RECOVERED')[0]?.atNs },
    { text: 'bob-25 ok 25' },
  ]);
});
