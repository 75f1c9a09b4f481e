import type { Assembler } from '../assembler.js';
import { PAGE, RAM } from '../testBoard.js';

/** Calls functions through a table of pointers, over and over: each adds 1 to a0. A call takes 8 instructions. */
export function callingThroughTable(functions: number): (program: Assembler) => void {
  const table = RAM + 8 * PAGE;
  return (program) => {
    program
      .label('start')
      .li('s0', table)
      .li('s1', table + 4 * functions);
    program.label('next').load('lw', 't0', 's0').addi('s0', 's0', 4).jalr('ra', 't0', 0);
    program.branch('bne', 's0', 's1', 'next').jump('start');
    const pointers: number[] = [];
    for (let index = 0; index < functions; index += 1) {
      pointers.push(program.here);
      program
        .addi('a0', 'a0', 1)
        .addi('a1', 'a1', index & 2047)
        .jalr('zero', 'ra', 0);
    }
    program.word(...Array.from({ length: (table - program.here) / 4 }, () => 0), ...pointers);
  };
}
