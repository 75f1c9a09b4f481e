import { defineConfig } from '@rmk/cli';

export default defineConfig({
  guests: [{ name: 'tasks', guest: 'tasks' }],
  protect: { interval: '50ms' },
  until: '500ms',
});
