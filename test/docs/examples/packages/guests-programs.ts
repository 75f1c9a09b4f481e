// #region shown
import { programRounds, readProgram } from '@rmk/guests';

const program = readProgram('sorting'); // Uint8Array
const short = programRounds(3); // written to memory before boot: three rounds instead of the program's own number
// #endregion
console.log(program.length, short);
