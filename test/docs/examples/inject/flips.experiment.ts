import { defineExperiment } from '@rmk/cli';

export default defineExperiment({
  guest: { name: 'server', guest: 'server', input: './requests.txt' },
  protect: {
    interval: '5ms',
    hang: { threshold: '10ms' },
    signals: { latencyBound: { bound: '5ms', quantile: 0.95 } },
  },
  faults: ['register-flip', { fault: 'hang', weight: 1 }],
  steadyState: { output: 'server: ok' },
  count: 60,
  watch: '50ms',
  timeout: '50ms',
});
