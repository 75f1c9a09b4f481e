/** Middle and quartiles of some numbers. */
export function spread(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const at = (part) => sorted[Math.round((sorted.length - 1) * part)];
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

export function write(line = '') {
  process.stdout.write(`${line}\n`);
}

/** Processor time of this process so far, in microseconds: other processes of a busy machine count for less in it. */
export function cpuMicroseconds() {
  const { user, system } = process.cpuUsage();
  return user + system;
}
