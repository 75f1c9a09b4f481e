/** A part of a device state stream: the device that it is about, and where it starts. */
interface StateSection {
  readonly device: string;
  readonly start: number;
}

const HEADER_BYTES = 8;
const FULL_SECTION = 4;
const FOOTER = 0x7e;

/**
 * The sections of QEMU's stream, as far as they can be found without knowing each device: a full section starts with 4,
 * its number (counted upwards), and the length and text of the device's name, and ends with 0x7e and its number again.
 */
function stateSections(stream: Uint8Array): readonly StateSection[] {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.length);
  const sections: StateSection[] = [];
  for (let at = HEADER_BYTES; at + 6 < bytes.length; at++) {
    if (bytes[at] !== FULL_SECTION) continue;
    const afterFooter = at === HEADER_BYTES || bytes[at - 5] === FOOTER;
    const device = bytes.toString('latin1', at + 6, at + 6 + bytes.readUInt8(at + 5));
    if (afterFooter && /^[\x21-\x7e]+$/.test(device)) sections.push({ device, start: at });
  }
  return sections;
}

/** Names of the devices whose state is in the stream. */
export function stateDevices(stream: Uint8Array): readonly string[] {
  return stateSections(stream).map(({ device }) => device);
}

/** Offsets as text: `i8254+21`, device and distance from the start of its section. */
export function nameOffsets(stream: Uint8Array, offsets: readonly number[]): readonly string[] {
  const sections = stateSections(stream);
  return offsets.map((offset) => {
    const section = sections.findLast(({ start }) => start <= offset);
    return section === undefined ? `+${offset}` : `${section.device}+${offset - section.start}`;
  });
}

/** PC's real-time clock: where its 128 registers start in its section. */
const CLOCK_DEVICE = 'mc146818rtc';
const CLOCK_REGISTERS = 25;
/**
 * Relative to them: the registers of the time of day, register C (what is due), the timer of the next second, the
 * alarm.
 */
const BY_THE_HOSTS_CLOCK: ReadonlySet<number> = new Set([
  0x00,
  0x02,
  0x04,
  0x06,
  0x07,
  0x08,
  0x09,
  0x32,
  0x0c,
  ...Array.from({ length: 16 }, (_, byte) => 229 + byte),
]);

/**
 * Of offsets at which a state that was loaded and saved again differs: those that are not expected. The real-time clock
 * follows the clock of the host, so it goes on while the VM is paused. (With `-rtc clock=vm` it follows the VM's, and
 * nothing differs.)
 */
export function unexplainedOffsets(stream: Uint8Array, offsets: readonly number[]): readonly number[] {
  const clock = stateSections(stream).find(({ device }) => device === CLOCK_DEVICE);
  if (clock === undefined) return offsets;
  return offsets.filter((offset) => !BY_THE_HOSTS_CLOCK.has(offset - clock.start - CLOCK_REGISTERS));
}
