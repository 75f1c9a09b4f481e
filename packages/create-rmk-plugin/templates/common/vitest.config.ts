import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The decorators of tsyringe, `@inject` on the parameters of constructors, are the legacy ones.
  oxc: { decorator: { legacy: true } },
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000 },
});
