import type { VirtualMachine } from './machine.js';
import { token } from './token.js';

/** Keeps the VM suspended until it is disposed of. Released with the plugin that holds it. */
export type Suspension = Disposable;

/**
 * P_VCPU: the virtual CPUs. Publishes EVT_VCPUSUSPENDED, EVT_VCPURESUMED, EVT_VMRESTARTED, EVT_VMASLEEP,
 * EVT_VMAWAKE, EVT_VMEXITED, EVT_VMGONE.
 */
export interface VcpuPin extends Pick<
  VirtualMachine,
  'registers' | 'readRegister' | 'writeRegister' | 'restart'
> {
  /** Suspends the VM. Several may hold a suspension: the VM runs while nobody does. */
  suspend(): Promise<Suspension>;
  /**
   * Releases `suspension`, and resolves once the VM runs, or at once while others hold it: also a second time.
   * Rejects if it cannot be resumed, and with RMK_ERR_INPUT for anything that `suspend` of this pin did not return.
   */
  resume(suspension: Suspension): Promise<void>;
}

/** P_PTABLE: the shadow page table, and through it memory. Publishes EVT_PAGEFAULT, EVT_LOGLOST. */
export type PageTablePin = Pick<VirtualMachine, 'memoryPages' | 'read' | 'write'>;

/**
 * What P_PTABLE does for the one plugin that provides CHECKPOINTS. Others take checkpoints and roll back through that
 * plugin: a checkpoint taken behind its back would leave its ring without a way up to now.
 */
export type CheckpointingPin = Pick<VirtualMachine, 'checkpoint' | 'rollback'>;

/** P_VMSIGNAL: exceptions, signals, resets. Publishes EVT_VMSIGNAL, EVT_VMREBOOTED, EVT_ERRORDETECTED for a crash. */
export type SignalPin = Pick<VirtualMachine, 'signals' | 'raise'>;

/** P_VMSCHL: scheduling. Publishes EVT_VMSCHEDULED. */
export type SchedulingPin = Pick<VirtualMachine, 'schedulingIntervalNs'>;

/** P_VMIO: consoles and channels. Publishes EVT_VMOUTPUT, EVT_CHANNELCHANGED. */
export type IoPin = Pick<VirtualMachine, 'input'>;

export const P_VCPU = token<VcpuPin>('P_VCPU', {
  members: ['suspend', 'resume', 'registers', 'readRegister', 'writeRegister', 'restart'],
  provider: '@rmk/pin-vcpu',
});
export const P_PTABLE = token<PageTablePin>('P_PTABLE', {
  members: ['memoryPages', 'read', 'write'],
  provider: '@rmk/pin-ptable',
});
/** Provided by the pin of P_PTABLE. Exclusive: one plugin of a domain holds it, or the host where none does. */
export const CHECKPOINTING = token<CheckpointingPin>('CHECKPOINTING', {
  members: ['checkpoint', 'rollback'],
  exclusive: true,
  provider: '@rmk/pin-ptable',
});
export const P_VMSIGNAL = token<SignalPin>('P_VMSIGNAL', {
  members: ['signals', 'raise'],
  provider: '@rmk/pin-vmsignal',
});
export const P_VMSCHL = token<SchedulingPin>('P_VMSCHL', {
  members: ['schedulingIntervalNs'],
  provider: '@rmk/pin-vmschl',
});
export const P_VMIO = token<IoPin>('P_VMIO', {
  members: ['input'],
  provider: '@rmk/pin-vmio',
});
