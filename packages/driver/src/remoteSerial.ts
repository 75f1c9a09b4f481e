/**
 * Packets of the GDB remote serial protocol: `$` text `#` and the sum of the text's bytes, modulo 256, in hexadecimal.
 */
export function framed(text: string): string {
  let sum = 0;
  for (let index = 0; index < text.length; index += 1) sum += text.charCodeAt(index);
  return `$${text}#${(sum & 0xff).toString(16).padStart(2, '0')}`;
}

/** A number of `bits` in the order of a little-endian target's memory, as the protocol has registers. */
export function numberText(value: bigint, bits: number): string {
  const digits = BigInt.asUintN(bits, value)
    .toString(16)
    .padStart(bits / 4, '0');
  return (digits.match(/../g) ?? []).toReversed().join('');
}
