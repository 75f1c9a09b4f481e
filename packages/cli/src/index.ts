export {
  defineConfig,
  type BootDataConfig,
  type ConfiguredGuest,
  type GuestConfig,
  type InputEntry,
  type MemorySize,
  type NamedPlugin,
  type PluginList,
  type PluginsOf,
  type RunConfig,
} from './defineConfig.js';
export {
  defineExperiment,
  type ExperimentConfig,
  type FaultConfig,
  type ExperimentGuest,
} from './inject/defineExperiment.js';
export { ExitCode } from './exitCode.js';
export { main } from './main.js';
export type { Terminal } from './terminal.js';
