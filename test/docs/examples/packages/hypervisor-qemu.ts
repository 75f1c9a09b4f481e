import { heartbeatDetector } from '@rmk/heartbeat-detector';
import { linuxGuest, QEMU_CONTROL, QemuHypervisor } from '@rmk/hypervisor-qemu';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';

const { kernel, initrd, append, heartbeatPort, readyText } = await linuxGuest();
const hypervisor = new QemuHypervisor();
const machine = await hypervisor.startMachine({
  name: 'web',
  kernel,
  initrd,
  append,
  channels: [heartbeatPort],
  heartbeat: heartbeatPort,
  ready: { text: readyText },
});
const control = machine.extension(QEMU_CONTROL);
console.log(`${control?.kind}, ${control?.tracker}: ${control?.why}`);

const domain = await createDomain({
  name: 'web',
  machine,
  plugins: [
    ...microcheckpoint({ hang: { signs: ['page-written'], threshold: '300ms' } }),
    heartbeatDetector({ device: heartbeatPort, silence: '1s' }),
  ],
  observe: (bus) => {
    bus.on('EVT_RECOVERED', ({ record }) => {
      console.log(`${record.trigger.cause}: ${record.rung}, ${record.pagesRestored} pages`);
    });
  },
});
// The guest is protected: after a panic it goes on from 50 to 100 ms before.
await new Promise((resolve) => setTimeout(resolve, 3000));
await machine.input('serial', new TextEncoder().encode('\necho panic >/proc/rmk_fault\n'));
await new Promise((resolve) => setTimeout(resolve, 3000));
await domain.stop();
await hypervisor.close();
