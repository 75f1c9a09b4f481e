import { describeCheckpointAlgorithm } from '@rmk/testing/conformance';
import { cowpUnion } from '../src/index.js';

describeCheckpointAlgorithm('CowpUnion', () => cowpUnion());
