import { GUESTS, readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { expect, it } from 'vitest';
import { WatchedMachine } from '../../src/experiment/protectionTarget.js';

it('the watch lists what is retained when it is asked, and reads no log before', async () => {
  const hypervisor = new EmbeddedHypervisor();
  const { memoryBytes } = GUESTS.tasks;
  const machine = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks'), memoryBytes });
  const checkpoint = machine.checkpoint.bind(machine);
  let listed = 0;
  machine.checkpoint = async (plan) => {
    const done = await checkpoint(plan);
    const list = done.log.frames.bind(done.log);
    done.log.frames = () => {
      listed++;
      return list();
    };
    return done;
  };
  const watched = new WatchedMachine(machine);
  const plugins = microcheckpoint({ interval: '1ms', retain: 3 });
  const domain = await createDomain({ name: 'tasks', machine: watched.face, plugins });
  await hypervisor.run({ untilNs: 10.5e6 });
  expect(listed).toBe(0);
  expect(await watched.targetIn(domain).checkpoints()).toHaveLength(3);
  expect(listed).toBeGreaterThanOrEqual(3);
  await domain.stop();
  await hypervisor.close();
});
