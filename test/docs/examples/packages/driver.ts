import { checkPlan, closedError, FactEmitter, offsetIn, TimerQueue } from '@rmk/driver';

const facts = new FactEmitter();
facts.observe('exited', ({ atNs, code }) => console.log(`off at ${atNs} ns with code ${code}`));
facts.emit('exited', { atNs: 1500, code: 0 });

const timers = new TimerQueue();
timers.add(20, undefined, () => console.log('a timer of 20 ns'));
timers.add(10, undefined, () => console.log('a timer of 10 ns'));
while (timers.fireDue(20));

checkPlan({ preSave: 'none', clusterPages: 8 }, 64);
console.log(offsetIn({ begin: 0x8000_0000, bytes: 1 << 20 }, 0x8000_1000, 16, 'web'));
console.log(closedError('web').message);
