import type { Duration, Plugin } from '@rmk/core';
import type { GuestName } from '@rmk/guests';
import type { HypervisorOptions, MachineOptions } from '@rmk/hypervisor-embedded';
import type { DomainOptions } from '@rmk/kernel';
import type { QemuHypervisorOptions, QemuMachineOptions } from '@rmk/hypervisor-qemu';
import type { MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';

/** Bytes, or how people write them: `'32MiB'`. A multiple of the page size, 4096. */
export type MemorySize = number | `${number}${'KiB' | 'MiB' | 'GiB'}`;

/** Bytes that arrive on the guest's UART at a moment of its own time. */
export type InputEntry = { readonly at: Duration } & (
  | { readonly text: string; readonly line?: never; readonly bytes?: never }
  /** The text and a line feed. */
  | { readonly line: string; readonly text?: never; readonly bytes?: never }
  | { readonly bytes: Uint8Array | readonly number[]; readonly text?: never; readonly line?: never }
);

/** Bytes laid into RAM before the guest boots. */
export type BootDataConfig = {
  /** Guest-physical: a number, or hexadecimal text such as `'0x81000000'`. */
  readonly address: number | `0x${string}`;
} & (
  | { readonly file: string; readonly data?: never }
  | { readonly data: Uint8Array | readonly number[]; readonly file?: never }
);

interface GuestSettings {
  /** Letters, digits, `.`, `_` and `-`; no two guests have the same. */
  readonly name: string;
  /** RAM from 0x80000000 on. Default: what a guest of RMK needs, otherwise `'32MiB'`. */
  readonly memory?: MemorySize;
  /** Entries of all page logs together. Default: twice the pages of its memory. */
  readonly logPages?: number;
  /** What executes the guest's instructions; default: `'interpreter'`. The results are the same. */
  readonly engine?: MachineOptions['engine'];
  /** Where the guest's kernel keeps its current task, whose change is a context switch; by default mscratch. */
  readonly contextSwitch?: MachineOptions['contextSwitch'];
  /** Whether the guest gets a device tree, in a1; by default a raw kernel `Image` does. */
  readonly deviceTree?: boolean;
  /** The kernel's command line, in the device tree. */
  readonly bootArgs?: string;
  readonly bootData?: readonly BootDataConfig[];
  /** A file, by path or as bytes, laid out at 0x81000000 as RMK's compressor wants it. */
  readonly file?: string | Uint8Array;
  /** What arrives on the UART: entries, or the path of a script of lines. */
  readonly input?: string | readonly InputEntry[];
}

/** An executable, by path or as bytes, or one of RMK's guests by name. */
type GuestProgram =
  | { readonly elf: string | Uint8Array; readonly guest?: never }
  | { readonly guest: GuestName; readonly elf?: never };

/** A plugin named by its package, or by a path relative to the config: how a config in JSON names plugins. */
export interface NamedPlugin {
  readonly plugin: string;
  readonly options?: unknown;
  /** Which export is the plugin. Default: the default export, the one called as the package, or the only one. */
  readonly export?: string;
}

/** How a guest is protected: any plugins, or the options of the preset; `false` for not at all. */
type Protection<Plugins> =
  | { readonly plugins?: Plugins; readonly protect?: never }
  | { readonly protect?: MicrocheckpointOptions | false; readonly plugins?: never };

type EmbeddedGuestConfig = GuestSettings & GuestProgram & Protection<PluginList> & { readonly qemu?: never };

/** A guest in QEMU: an unmodified system. The preset listens to the `heartbeat` that `qemu` names. */
type QemuGuestConfig = Pick<GuestSettings, 'name' | 'memory'> &
  Protection<PluginList> & {
    /** What QEMU is to boot, and its devices: kernel, initrd, append, disks, network, … */
    readonly qemu: Omit<QemuMachineOptions, 'name' | 'memoryBytes'>;
  };

/** The guests of one config are all embedded, or all in QEMU. */
export type GuestConfig = EmbeddedGuestConfig | QemuGuestConfig;

/** What a function that chooses plugins may go by. */
export interface ConfiguredGuest {
  readonly name: string;
  readonly memoryBytes: number;
}

export type PluginList = readonly (Plugin | NamedPlugin)[];

export type PluginsOf = PluginList | ((guest: ConfiguredGuest) => readonly Plugin[]);

/** Paths are relative to the config file. */
export type RunConfig = {
  readonly guests: readonly GuestConfig[];
  /** Of embedded guests. */
  readonly hypervisor?: HypervisorOptions;
  /** Of guests in QEMU. */
  readonly qemu?: QemuHypervisorOptions;
  /** Domain time at which the run ends. Default: when the last guest has ended. */
  readonly until?: Duration;
  /** Where the guests' output goes: `'show'`, the default, shows it as it comes; a directory gets two files a guest. */
  readonly output?: 'show' | 'none' | { readonly directory: string };
} & Pick<DomainOptions, 'onFailure' | 'supervision' | 'timeouts' | 'events'> &
  Protection<PluginsOf>;

/** Gives the config back as it is: for completion and type errors in the editor. */
export function defineConfig(config: RunConfig): RunConfig {
  return config;
}
