import { stripVTControlCharacters } from 'node:util';
import type { Terminal } from '../terminal.js';

const ERASE = '\r\u001B[2K';

/** Prints lines, and where a person looks on, keeps one last line below them that is drawn over. */
export class StatusLine {
  private text = '';

  constructor(private readonly terminal: Terminal) {}

  get isShown(): boolean {
    return this.terminal.columns !== undefined;
  }

  print(line: string): void {
    this.terminal.out(this.text === '' ? `${line}\n` : `${ERASE}${line}\n${this.text}`);
  }

  /** Does nothing where no one looks on. An empty text takes the line away. */
  set(text: string): void {
    const { columns } = this.terminal;
    if (columns === undefined || text === this.text) return;
    this.text = stripVTControlCharacters(text).slice(0, Math.max(0, columns() - 1));
    this.terminal.out(`${ERASE}${this.text}`);
  }
}
