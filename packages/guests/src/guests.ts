import { readElf } from './elf.js';

export type GuestName = 'compressor' | 'interpreter' | 'rtos' | 'search' | 'server' | 'tasks';

export interface Guest {
  readonly name: GuestName;
  readonly description: string;
  /** RAM that the board needs at least, from 0x8000_0000 on. */
  readonly memoryBytes: number;
  /** Whether it wants a file in memory at boot; see {@link bootFile}. */
  readonly takesBootFile: boolean;
  /** Whether it works on what comes on its UART, and ends when that says so. */
  readonly takesInput: boolean;
}

const BOARD_MEMORY_BYTES = 32 * 1024 * 1024;

/** The guests that come with RMK. */
export const GUESTS: Readonly<Record<GuestName, Guest>> = {
  compressor: {
    name: 'compressor',
    description: 'compresses its boot file to gzip, block by block, and decompresses and compares each block',
    memoryBytes: BOARD_MEMORY_BYTES,
    takesBootFile: true,
    takesInput: false,
  },
  interpreter: {
    name: 'interpreter',
    description:
      'interprets programs for a stack machine with a hash table, and computes their results again',
    memoryBytes: BOARD_MEMORY_BYTES,
    takesBootFile: false,
    takesInput: false,
  },
  rtos: {
    name: 'rtos',
    description:
      'a real-time kernel that keeps its current task in a variable, and three tasks in machine mode',
    memoryBytes: BOARD_MEMORY_BYTES,
    takesBootFile: false,
    takesInput: false,
  },
  search: {
    name: 'search',
    description: 'solves positions of Connect Four by alpha-beta search with a transposition table',
    memoryBytes: BOARD_MEMORY_BYTES,
    takesBootFile: false,
    takesInput: false,
  },
  server: {
    name: 'server',
    description: 'answers requests that come on the serial line from a store of keys and values',
    memoryBytes: BOARD_MEMORY_BYTES,
    takesBootFile: false,
    takesInput: true,
  },
  tasks: {
    name: 'tasks',
    description: 'a pre-emptive kernel with ten tasks in user mode that compute and check their results',
    memoryBytes: BOARD_MEMORY_BYTES,
    takesBootFile: false,
    takesInput: false,
  },
};

/** The ELF of a guest. Throws RMK_ERR_UNKNOWN for any other name. */
export function readGuest(name: GuestName): Uint8Array {
  return readElf('guest', name, GUESTS);
}
