export { describeHypervisor } from './hypervisor/describeHypervisor.js';
export {
  WINDOW_PAGES,
  type HypervisorSubject,
  type HypervisorSuiteOptions,
  type SubjectGuest,
} from './hypervisor/hypervisorSubject.js';
