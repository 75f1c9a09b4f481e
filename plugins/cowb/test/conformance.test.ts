import { describeCheckpointAlgorithm } from '@rmk/testing/conformance';
import { cowb } from '../src/index.js';

describeCheckpointAlgorithm('COWB', () => cowb());
