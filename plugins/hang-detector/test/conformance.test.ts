import { describeDetector, HANGS, withoutProgress } from '@rmk/testing/conformance';
import { hangDetector } from '../src/index.js';

describeDetector('hang-detector', {
  plugin: () => hangDetector({ threshold: '200ms' }),
  finds: HANGS,
  silence: { threshold: '200ms', life: withoutProgress },
});
