import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTING,
  OPTIONS,
  P_PTABLE,
  P_VCPU,
  P_VMIO,
  P_VMSCHL,
  P_VMSIGNAL,
  provide,
  VIRTUAL_MACHINE,
  type Bus,
  type Checkpointed,
  type CheckpointingPin,
  type EpochPlan,
  type IoPin,
  type PageTablePin,
  type RollbackTarget,
  type RolledBack,
  type SchedulingPin,
  type SignalPin,
  type Suspension,
  type VcpuPin,
  type VirtualMachine,
} from '@rmk/core';
import { PageTable, pinPtable } from '@rmk/pin-ptable';
import { pinVcpu, Vcpu } from '@rmk/pin-vcpu';
import { Io, pinVmio } from '@rmk/pin-vmio';
import { pinVmschl, Scheduling } from '@rmk/pin-vmschl';
import { pinVmsignal, Signals, type SignalOptions } from '@rmk/pin-vmsignal';
import { inject, injectable } from 'tsyringe';
import { FakePin } from './fakePin.js';

/** P_VCPU. */
export function fakeVcpu(): FakePin<VcpuPin> {
  return new FakePin('rmk-fake-vcpu', pinVcpu(), (pin) => {
    @injectable()
    class FakeVcpu extends Vcpu {
      constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine, @inject(BUS) bus: Bus) {
        super(machine, bus);
      }

      override suspend(): Promise<Suspension> {
        return pin.called('suspend', [], () => super.suspend());
      }

      override resume(suspension: Suspension): Promise<void> {
        return pin.called('resume', [suspension], () => super.resume(suspension));
      }

      override readRegister(name: string): Promise<bigint> {
        return pin.called('readRegister', [name], () => super.readRegister(name));
      }

      override writeRegister(name: string, value: bigint): Promise<void> {
        return pin.called('writeRegister', [name, value], () => super.writeRegister(name, value));
      }

      override restart(): Promise<void> {
        return pin.called('restart', [], () => super.restart());
      }
    }
    return [provide(P_VCPU, FakeVcpu)];
  });
}

/** P_PTABLE. */
export function fakePtable(): FakePin<PageTablePin & CheckpointingPin> {
  return new FakePin('rmk-fake-ptable', pinPtable(), (pin) => {
    @injectable()
    class FakePageTable extends PageTable {
      constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine, @inject(BUS) bus: Bus) {
        super(machine, bus);
      }

      override read(address: number, bytes: number): Promise<Uint8Array> {
        return pin.called('read', [address, bytes], () => super.read(address, bytes));
      }

      override write(address: number, data: Uint8Array): Promise<void> {
        return pin.called('write', [address, data], () => super.write(address, data));
      }

      override checkpoint(plan: EpochPlan): Promise<Checkpointed> {
        return pin.called('checkpoint', [plan], () => super.checkpoint(plan));
      }

      override rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
        return pin.called('rollback', [to, plan], () => super.rollback(to, plan));
      }
    }
    return [provide(P_PTABLE, FakePageTable), provide(CHECKPOINTING, FakePageTable)];
  });
}

/** P_VMSIGNAL. Takes the options of the real one: which signals are no crash. */
export function fakeVmsignal(options?: Parameters<typeof pinVmsignal>[0]): FakePin<SignalPin> {
  return new FakePin('rmk-fake-vmsignal', pinVmsignal(options), (pin) => {
    @injectable()
    class FakeSignals extends Signals {
      constructor(
        @inject(VIRTUAL_MACHINE) machine: VirtualMachine,
        @inject(BUS) bus: Bus,
        @inject(OPTIONS) signalOptions: SignalOptions,
      ) {
        super(machine, bus, signalOptions);
      }

      override raise(cause: string): Promise<void> {
        return pin.called('raise', [cause], () => super.raise(cause));
      }
    }
    return [provide(P_VMSIGNAL, FakeSignals)];
  });
}

/** P_VMSCHL. It has no operations and publishes the facts of the machine. */
export function fakeVmschl(): FakePin<SchedulingPin> {
  return new FakePin('rmk-fake-vmschl', pinVmschl(), () => {
    @injectable()
    class FakeScheduling extends Scheduling {
      constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine, @inject(BUS) bus: Bus) {
        super(machine, bus);
      }
    }
    return [provide(P_VMSCHL, FakeScheduling)];
  });
}

/** P_VMIO. */
export function fakeVmio(): FakePin<IoPin> {
  return new FakePin('rmk-fake-vmio', pinVmio(), (pin) => {
    @injectable()
    class FakeIo extends Io {
      constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine, @inject(BUS) bus: Bus) {
        super(machine, bus);
      }

      override input(device: string, data: Uint8Array): Promise<void> {
        return pin.called('input', [device, data], () => super.input(device, data));
      }
    }
    return [provide(P_VMIO, FakeIo)];
  });
}

/** A fake of each pin. */
export interface FakePins {
  readonly vcpu: FakePin<VcpuPin>;
  readonly ptable: FakePin<PageTablePin & CheckpointingPin>;
  readonly vmsignal: FakePin<SignalPin>;
  readonly vmschl: FakePin<SchedulingPin>;
  readonly vmio: FakePin<IoPin>;
}

export function fakePins(): FakePins {
  return {
    vcpu: fakeVcpu(),
    ptable: fakePtable(),
    vmsignal: fakeVmsignal(),
    vmschl: fakeVmschl(),
    vmio: fakeVmio(),
  };
}
