import { Board } from '../../src/board.js';
import { InputLog } from '../../src/devices/inputLog.js';
import { Transcript } from '../../src/devices/transcript.js';
import { GuestMemory } from '../../src/memory/guestMemory.js';
import { Translator, type TranslatorOptions } from '../../src/translator/translator.js';
import { Assembler } from '../assembler.js';
import { PAGE, RAM } from '../testBoard.js';

/** A board of 16 pages whose guest, at the beginning of RAM, is translated at its first visit. */
export function boardWith(build: (program: Assembler) => void, options: TranslatorOptions = {}): Board {
  const memory = new GuestMemory(16 * PAGE, 64);
  const engine = { translator: { hotVisits: 1, interpretedInstructions: 1, ...options } };
  const board = new Board(memory, new Transcript(1024), new InputLog([]), 10, engine);
  const program = new Assembler(RAM);
  build(program);
  memory.write(0, new Uint8Array(program.words().buffer));
  board.state.pc = RAM | 0;
  return board;
}

export function translatorOf(board: Board): Translator {
  if (board.processor instanceof Translator) return board.processor;
  throw new TypeError('the board was made with a translator');
}
