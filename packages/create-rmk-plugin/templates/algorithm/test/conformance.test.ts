import { describeCheckpointAlgorithm } from '@rmk/testing/conformance';
import { pluginName } from '../src/index.js';

// What any algorithm must keep to: plans that a driver takes, exact rollbacks, and swaps while the guest runs.
describeCheckpointAlgorithm('rmk-plugin-plugin-name', () => pluginName());
