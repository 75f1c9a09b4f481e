import { pinVmschl } from '@rmk/pin-vmschl';
import { startRig } from '@rmk/testing';

const { domain, hypervisor } = await startRig({ guest: 'tasks', plugins: [pinVmschl()] });
domain.bus.on('EVT_VMSCHEDULED', ({ atNs, cpuNs, idleNs, progress }) => {
  const signs = progress.map(({ sign }) => sign).join(', ');
  console.log(`${atNs / 1e6} ms: ${cpuNs} ns busy, ${idleNs} ns idle; ${signs}`);
});
await hypervisor.run({ untilNs: 30_000_001 });
