import { describeCheckpointAlgorithm } from '@rmk/testing/conformance';
import { cowpDecay } from '../src/index.js';

describeCheckpointAlgorithm('CowpDecay', () => cowpDecay());
