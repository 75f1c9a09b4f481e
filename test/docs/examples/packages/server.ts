import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';

const requests = [
  'a1 put apples 5',
  'b1 incr apples',
  'a2 get apples',
  'a3 get pears',
  'b2 incr pears',
  'b3 sum',
  'a4 sell pears',
  'a5 put pears -3',
  '$$',
  'a6 quit',
];
const hypervisor = new EmbeddedHypervisor();
const machine = hypervisor.createMachine({
  name: 'server',
  elf: readGuest('server'),
  input: [{ at: '1ms', data: new TextEncoder().encode(requests.map((line) => `${line}\n`).join('')) }],
});
await hypervisor.run();
const answers = new TextDecoder().decode(machine.committedOutput).trimEnd().split('\n');
for (const [index, answer] of answers.entries())
  console.log(`${(requests[index] ?? '').padEnd(27)}${answer}`);
