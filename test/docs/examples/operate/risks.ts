// What `rmk doctor` says of the risk of each guest, without what it says of the machine.
import { main } from '@rmk/cli';

const config = new URL('risks.config.json', import.meta.url).pathname;
let report = '';
await main(['doctor', config], { out: (text) => void (report += text), err: console.error });
for (const line of report.split('\n')) {
  const [, guest] = /^(\S+): \d+ plugins/.exec(line) ?? [];
  if (guest !== undefined) console.log(guest);
  else if (line.includes('probability')) console.log(line);
}
