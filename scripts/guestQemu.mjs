// Builds the demo guest for QEMU into the cache, unless it is there already: `npm run guest:qemu [-- --newest]`. Prints
// where its parts are, as JSON, on stdout.
import { linuxGuest } from '@rmk/hypervisor-qemu';

const unknown = process.argv.slice(2).filter((arg) => arg !== '--newest');
if (unknown.length > 0) stop(`unknown: ${unknown.join(' ')}; the only option is --newest`);
try {
  const progress = (doing) => process.stderr.write(`${doing} …\n`);
  const guest = await linuxGuest({ progress, install: true, newest: process.argv.includes('--newest') });
  process.stdout.write(`${JSON.stringify(guest, undefined, 2)}\n`);
} catch (error) {
  stop(error.message);
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
