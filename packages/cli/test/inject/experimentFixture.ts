/** A guest that lives for 40 ms: the server, which receives a request to quit. */
const REQUESTS = Array.from(
  { length: 36 },
  (_, index) => `${index + 2}ms line a${index} incr key${index % 5}`,
);

/** Files of an experiment on it. */
export function experimentFiles(changes: object = {}): Readonly<Record<string, string>> {
  return {
    'requests.txt': `${REQUESTS.join('\n')}\n39ms line z quit\n`,
    'flips.json': JSON.stringify({
      guest: { name: 'server', guest: 'server', input: './requests.txt' },
      protect: {
        interval: '2ms',
        hang: { threshold: '5ms' },
        signals: { latencyBound: { bound: '2ms', quantile: 0.95 } },
      },
      faults: ['register-flip', { fault: 'wild-jump', weight: 2 }],
      count: 24,
      grid: '1ms',
      watch: '20ms',
      timeout: '20ms',
      ...changes,
    }),
  };
}
