// #region shown
import { readFileSync } from 'node:fs';
import { bootFile, GUESTS, readGuest } from '@rmk/guests';

const elf = readGuest('compressor'); // Uint8Array
const { memoryBytes } = GUESTS.compressor; // 33554432: the RAM that the board needs
const { address, data } = bootFile(readFileSync('package-lock.json'), 'package-lock.json');
// Load `elf`, write `data` to guest-physical `address`, then boot.
// #endregion
console.log(elf.length > 0, memoryBytes, address, data.length > 0);
