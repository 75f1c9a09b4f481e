/**
 * A line for the terminal, with its control characters as text: a guest that has gone wild must not write to the
 * terminal of the host as it likes.
 */
export function printable(line: string): string {
  return line.replaceAll(/\p{Cc}/gu, (character) =>
    character === '\t' ? character : `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  );
}
