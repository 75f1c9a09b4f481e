/** Operations of Zbb that take more than an expression. All give signed 32-bit numbers. */

function countTrailingZeros(value: number): number {
  return value === 0 ? 32 : 31 - Math.clz32(value & -value);
}

function countBits(value: number): number {
  const pairs = value - ((value >>> 1) & 0x5555_5555);
  const nibbles = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Each byte that is not zero becomes 0xff. */
export function combineOrBytes(value: number): number {
  const low = value | (value >>> 4);
  const lower = low | (low >>> 2);
  return Math.imul((lower | (lower >>> 1)) & 0x0101_0101, 0xff);
}

export function reverseBytes(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

export function rotateRight(value: number, amount: number): number {
  return (value >>> (amount & 31)) | (value << (-amount & 31));
}

/** What {@link countOrExtend} does for the numbers that it takes: CLZ, CTZ, CPOP, SEXT.B and SEXT.H. */
export function isCountOrExtend(operation: number): boolean {
  return operation <= 5 && operation !== 3;
}

export function countOrExtend(operation: number, value: number): number {
  switch (operation) {
    case 0:
      return Math.clz32(value);
    case 1:
      return countTrailingZeros(value);
    case 2:
      return countBits(value);
    case 4:
      return (value << 24) >> 24;
    default:
      return (value << 16) >> 16;
  }
}
