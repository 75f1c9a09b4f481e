import { startFakeRig } from '@rmk/testing';
import { expect, it } from 'vitest';
import { heartbeatDetector } from '../src/index.js';

it.each([
  [{ silence: '50ms' }, 'device'],
  [{ device: '', silence: '50ms' }, "device: expected the name of a device, such as 'uart'"],
  [{ device: 'uart', silence: 50 }, 'silence: expected a duration above zero such as 50ms, 1.5s or 2min'],
  [
    { device: 'uart', silence: '50ms', beat: '' },
    'beat: expected the text, or the bytes (a Uint8Array), of a beat',
  ],
  [{ device: 'uart', silence: '50ms', period: '20ms' }, 'period'],
  [{ device: 'uart' }, 'silence: expected either `silence`, such as 500ms, or `adaptive`'],
  [
    { device: 'uart', silence: '50ms', adaptive: { atLeast: '50ms', atMost: '1s' } },
    'silence: expected either `silence`, such as 500ms, or `adaptive`',
  ],
  [{ device: 'uart', adaptive: { atLeast: '50ms', atMost: '40ms' } }, 'adaptive.atMost: expected at least'],
  [{ device: 'uart', adaptive: { atLeast: '50ms' } }, 'adaptive.atMost: expected a duration above zero'],
  [{ device: 'uart', adaptive: { atLeast: 5, atMost: '40ms' } }, 'adaptive.atLeast: expected a duration'],
  [
    { device: 'uart', adaptive: { atLeast: '5ms', atMost: '40ms', falsePositiveRate: 0 } },
    'adaptive.falsePositiveRate',
  ],
  [
    { device: 'uart', adaptive: { atLeast: '5ms', atMost: '40ms', falsePositiveRate: 1 } },
    'adaptive.falsePositiveRate',
  ],
  [{ device: 'uart', adaptive: { atLeast: '5ms', atMost: 40 } }, 'adaptive.atMost: expected a duration'],
])('refuses the options %j, and says what is wrong', async (options, message) => {
  const plugin = heartbeatDetector(options as Parameters<typeof heartbeatDetector>[0]);
  const start = startFakeRig({ plugins: [plugin] });
  await expect(start).rejects.toMatchObject({ code: 'RMK_ERR_OPTIONS', plugin: '@rmk/heartbeat-detector' });
  await expect(start).rejects.toThrow(message);
});

it('accepts bounds of one length: a threshold that does not adapt', async () => {
  const adaptive = { atLeast: '40ms', atMost: '40ms' } as const;
  const rig = await startFakeRig({ plugins: [heartbeatDetector({ device: 'console', adaptive })] });
  expect(rig.domain.plugins.every(({ state }) => state === 'active')).toBe(true);
});
