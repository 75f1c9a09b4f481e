import { stateCommand } from './stateCommand.js';

await stateCommand((text) => process.stdout.write(text)).parseAsync();
