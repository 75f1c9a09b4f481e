import { defineExperiment } from '@rmk/cli';

export default defineExperiment({
  guest: { name: 'server', guest: 'server', input: './requests.txt' },
  faults: [
    { fault: 'register-flip', trigger: { trigger: 'symbol', options: { symbol: 'trap_entry' } } },
    { fault: 'memory-flip', trigger: 'checkpoint' },
    { fault: 'context-damage', options: { age: 1 }, trigger: 'rollback' },
  ],
  steadyState: { output: 'server: ok' },
  count: 60,
});
