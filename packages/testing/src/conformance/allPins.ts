import type { Plugin } from '@rmk/core';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmio } from '@rmk/pin-vmio';
import { pinVmschl } from '@rmk/pin-vmschl';
import { pinVmsignal } from '@rmk/pin-vmsignal';

/** The pins, without those that the plugin to be tested brings along itself. */
export function allPins(tested: Plugin): readonly Plugin[] {
  const brought = new Set(tested.definition.provides?.map(({ token }) => token));
  return [pinVcpu(), pinPtable(), pinVmsignal(), pinVmschl(), pinVmio()].filter(
    ({ definition }) => !definition.provides?.some(({ token }) => brought.has(token)),
  );
}
