#!/usr/bin/env node
import { main } from '../dist/index.js';

// A reader that goes away (`… --help | head`) ends the program in silence.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await main(process.argv.slice(2));
