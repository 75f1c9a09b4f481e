import { describeCheckpointAlgorithm } from '@rmk/testing/conformance';
import { cowpAdaptive } from '../src/index.js';

describeCheckpointAlgorithm('CowpAdaptive', () => cowpAdaptive());
