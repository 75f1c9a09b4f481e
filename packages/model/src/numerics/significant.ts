/** A number to `digits` significant digits, without trailing zeros. */
export function significant(value: number, digits = 4): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : String(value);
}
