import { closeSync, openSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, RmkError } from '@rmk/core';
import { makeFolder } from '../makeFolder.js';
import { readInputFile } from '../config/inputFile.js';

/** Reads a text file without its byte order mark. Throws RMK_ERR_INPUT if it cannot be read. */
export function readText(path: string): string {
  return new TextDecoder().decode(readInputFile(path));
}

/** Reads a JSON file. Throws RMK_ERR_INPUT if it cannot be read or is not JSON. */
export function readJson(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new RmkError('RMK_ERR_INPUT', `${path} is not JSON: ${messageOf(error)}`);
  }
}

/** Writes a text file and the folders above it. Throws RMK_ERR_INPUT if it cannot be written. */
export function writeText(path: string, text: string): void {
  whileWriting(path, () => writeFileSync(path, text));
}

/** For files that are written at the end of something long: throws RMK_ERR_INPUT now if that would fail. */
export function checkWritable(path: string): void {
  whileWriting(path, () => closeSync(openSync(path, 'a')));
}

function whileWriting(path: string, write: () => void): void {
  try {
    makeFolder(dirname(path));
    write();
  } catch (error) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `${path} cannot be written: ${messageOf(error)}. Choose another path.`,
    );
  }
}
