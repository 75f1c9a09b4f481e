const SIZE = /^(\d+(?:\.\d+)?)(KiB|MiB|GiB)$/;
const BYTES_PER: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

export const MEMORY_SIZE_HINT = "expected bytes, or a size such as '512KiB', '32MiB' or '1GiB'";

/** `'32MiB'` in bytes; undefined for what is no size. Whether a guest can have that much is the hypervisor's to say. */
export function memoryBytes(size: unknown): number | undefined {
  if (typeof size === 'number') return size;
  if (typeof size !== 'string') return undefined;
  const [, amount, unit] = SIZE.exec(size) ?? [];
  const factor = BYTES_PER[unit ?? ''];
  return factor === undefined ? undefined : Number(amount) * factor;
}
