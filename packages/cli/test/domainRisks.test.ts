import { CHECKPOINTS, definePlugin, provide, type Checkpoints } from '@rmk/core';
import { heartbeatDetector } from '@rmk/heartbeat-detector';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig } from '@rmk/testing';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { acceptedRisk, domainRisks, riskLines } from '../src/doctor/domainRisks.js';

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
  expect(riskLines(found).map((line) => line.includes('more than the 5 % accepted'))).toEqual(
    risks.map((risk) => risk > 0.05),
  );
});

it.each([
  { plugins: microcheckpoint({ corruptionRisk: 0.001, retain: 2, hang: false }), warns: true },
  { plugins: microcheckpoint({ corruptionRisk: 0.001, hang: false }), warns: false },
  { plugins: microcheckpoint({ corruptionRisk: 0.9, retain: 2 }), warns: true },
])('is compared with what the config accepts, case %#: $warns', async ({ plugins, warns }) => {
  const rig = await startRig({ guest: 'tasks', plugins });
  const lines = riskLines(domainRisks(rig.domain), acceptedRisk(plugins));
  expect(lines.some((line) => line.includes('accepted'))).toBe(warns);
});

it('accepts 5 % where the config does not say', () => {
  expect(acceptedRisk(microcheckpoint())).toBe(0.05);
  expect(acceptedRisk([])).toBe(0.05);
});

/** Keeps two checkpoints, and takes none. */
class ThirdPartyAgent implements Checkpoints {
  readonly retained = [];
  readonly retain = 2;
  readonly intervalNs = 1e6;

  use(): Disposable {
    return { [Symbol.dispose]: () => {} };
  }

  take(): Promise<never> {
    return Promise.reject(new Error('takes none'));
  }

  rollback(): Promise<never> {
    return Promise.reject(new Error('has none'));
  }
}

it.each(['itself', 'companion'] as const)(
  'accepts what an agent of a third party is given, listed as %s',
  async (listed) => {
    const named = (name: string) => ({ name: `rmk-plugin-${name}`, version: '1.0.0', rmk: '*' });
    const agent = definePlugin({
      ...named('agent'),
      provides: [provide(CHECKPOINTS, ThirdPartyAgent)],
      options: z.strictObject({ corruptionRisk: z.number() }),
    })({ corruptionRisk: 0.95 });
    const bundle = definePlugin({ ...named('bundle'), companions: [agent] })();
    const signals = microcheckpoint().filter(({ definition }) => definition.name === '@rmk/pin-vmsignal');
    const plugins = [...signals, listed === 'itself' ? agent : bundle];
    const rig = await startRig({ guest: 'tasks', plugins });
    const risks = domainRisks(rig.domain);
    expect(acceptedRisk(plugins)).toBe(0.95);
    expect(riskLines(risks, acceptedRisk(plugins)).join()).not.toContain('accepted');
    expect(riskLines(risks).join()).toContain('more than the 5 % accepted');
  },
);

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
