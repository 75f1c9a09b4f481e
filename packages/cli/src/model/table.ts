/** Rows for people, on the terminal or on a page. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The table as text: columns as wide as they need to be, numbers flush right. */
export function formatTable({ columns, rows }: Table): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const numeric = columns.map((_, index) => rows.every((row) => /^[-+\d.,–]/.test(row[index] ?? '')));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return numeric[index] === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(columns), rule, ...rows.map(line)].join('\n');
}

/** A probability as per cent, with `digits` significant digits of whatever is smaller, it or its complement. */
export function percent(probability: number, digits = 4): string {
  const value = 100 * probability;
  if (probability <= 0 || probability >= 1) return `${value} %`;
  const smaller = Math.min(probability, 1 - probability);
  if (smaller < 1e-12) return `${value.toPrecision(digits)} %`;
  const decimals = Math.min(12, Math.max(0, digits - 3 - Math.floor(Math.log10(smaller))));
  return value < 1e-4 ? `${value.toPrecision(digits)} %` : `${value.toFixed(decimals)} %`;
}
