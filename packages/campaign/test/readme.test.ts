import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

describe('the example of the README', () => {
  it('is the program that is checked here, and prints what the README says', async () => {
    const readme = text('../README.md');
    expect(readme).toContain(`\`\`\`ts\n${text('readmeExample.ts')}\`\`\``);
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
    await import('./readmeExample.js');
    log.mockRestore();
    expect(readme).toContain(`\`\`\`\n${printed.join('\n')}\n\`\`\``);
    expect(printed).toHaveLength(2);
  });
});
