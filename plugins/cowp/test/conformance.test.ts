import { describeCheckpointAlgorithm } from '@rmk/testing/conformance';
import { cowp } from '../src/index.js';

describeCheckpointAlgorithm('COWP', () => cowp());
describeCheckpointAlgorithm('COWP with clusters', () => cowp({ clusterPages: 8 }));
