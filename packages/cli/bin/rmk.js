#!/usr/bin/env node
import { main } from '../dist/index.js';

process.exitCode = await main(process.argv.slice(2));
// A timer or a socket that a plugin leaves behind must not keep the command alive.
process.stdout.write('', () => process.exit());
