import { CRASHES, describeDetector } from '@rmk/testing/conformance';
import { pinVmsignal } from '../src/index.js';

describeDetector('pin-vmsignal', { plugin: () => pinVmsignal(), finds: CRASHES });
