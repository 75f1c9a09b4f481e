import { defineConfig } from '@rmk/cli';

export default defineConfig({
  guests: [
    { name: 'tasks', guest: 'tasks' },
    { name: 'server', guest: 'server', input: './requests.txt' },
  ],
  protect: { interval: '50ms', algorithm: 'cowp', hang: { threshold: '200ms' } },
  until: '500ms',
});
