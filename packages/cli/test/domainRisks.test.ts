import { heartbeatDetector } from '@rmk/heartbeat-detector';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig } from '@rmk/testing';
import { expect, it } from 'vitest';
import { domainRisks, riskLines } from '../src/doctor/domainRisks.js';

it.each([
  { options: { interval: '5ms', hang: false }, risks: [0.0432] },
  { options: { interval: '20ms', hang: false }, risks: [0.0291] },
  { options: {}, risks: [0.0159, 0] },
  { options: { interval: '500ms' }, risks: [0.00167, 0] },
  { options: { retain: 2 }, risks: [0.0159, 1] },
] as const)('the risk of $options is $risks', async ({ options, risks }) => {
  const rig = await startRig({ guest: 'tasks', plugins: microcheckpoint(options) });
  const found = domainRisks(rig.domain);
  expect(found.map(({ risk }) => Number(risk.toPrecision(3)))).toEqual(risks);
  expect(riskLines(found).map((line) => line.includes('more than 5 %'))).toEqual(
    risks.map((risk) => risk > 0.05),
  );
});

it('shows how a detector decides, where the detector says it', async () => {
  const adaptive = { atLeast: '50ms', atMost: '1s' } as const;
  const plugins = [...microcheckpoint({ hang: false }), heartbeatDetector({ device: 'uart', adaptive })];
  const rig = await startRig({ guest: 'tasks', plugins });
  expect(riskLines(domainRisks(rig.domain)).at(-1)).toContain(
    '@rmk/heartbeat-detector declares at most 1010 ms: adaptive threshold of 50 ms to 1000 ms, ' +
      'exceeded by 0.01 % of healthy silences at most',
  );
});

it('a domain without an agent has none', async () => {
  const rig = await startRig({ guest: 'tasks', plugins: [] });
  expect(domainRisks(rig.domain)).toEqual([]);
});
