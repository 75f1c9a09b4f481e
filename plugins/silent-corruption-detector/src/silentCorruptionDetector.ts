import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  BUS,
  CHECKPOINTS,
  CLOCK,
  messageOf,
  nanoseconds,
  OPTIONS,
  P_PTABLE,
  RmkError,
  type Bus,
  type Checkpoints,
  type Clock,
  type Module,
  type Nanoseconds,
  type PageTablePin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { SilentCorruptionDetectorOptions } from './options.js';
import { portionsOf, type Block, type Portion, type Stretch } from './portions.js';
import type { RegionCorrupted } from './regionCorrupted.js';

/** A rollback puts the next checkpoint off by up to an interval. */
const EPOCHS_IN_RESERVE = 1;

interface Part {
  readonly block: Block;
  readonly data: Uint8Array;
}

/** What is known of a block. */
interface Watched {
  readonly crc32: number;
  lastRightNs: Nanoseconds;
}

/**
 * Looks for changes where there must be none: at each checkpoint it compares a portion of the regions with what was
 * there at the start, so that all of them have had their turn within the bound.
 */
@injectable()
export class SilentCorruptionDetector implements Module {
  private portions: readonly Portion[] = [];
  private readonly watched = new Map<Block, Watched>();
  private nextPortion = 0;
  /** The portion in which an error was found last: what is to be looked at first once it should be undone. */
  private damagedPortion: number | undefined;
  private looking = false;
  /** How often the guest was taken back to another state: what was read before says nothing about the state after. */
  private generation = 0;

  constructor(
    @inject(P_PTABLE) private readonly pageTable: PageTablePin,
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(OPTIONS) private readonly options: SilentCorruptionDetectorOptions,
  ) {}

  async start(): Promise<void> {
    this.portions = portionsOf(this.options.regions, this.epochs());
    await this.takeReferences();
    this.bus.on('EVT_CHECKPOINTED', ({ atNs }) => this.lookAtNext(atNs));
    // What was right after the checkpoint was right at it, and so it is now.
    this.bus.on('EVT_ROLLEDBACK', ({ atNs, to }) => this.beginAgain(atNs, to.takenAtNs));
    this.bus.on('EVT_VMRESTARTED', ({ atNs }) => this.beginAgain(atNs, -Infinity));
    this.bus.on('EVT_VMREBOOTED', ({ atNs }) => this.beginAgain(atNs, -Infinity));
  }

  /** In how many epochs every block has its turn. */
  private epochs(): number {
    const { within } = this.options;
    const { intervalNs } = this.checkpoints;
    const epochs = Math.floor(nanoseconds(within) / intervalNs) - EPOCHS_IN_RESERVE;
    if (epochs >= 1) return epochs;
    throw new RmkError(
      'RMK_ERR_OPTIONS',
      `options.within: ${within} is less than two checkpoint intervals of ${intervalNs / 1e6} ms: give it more time, or take checkpoints more often`,
    );
  }

  private async takeReferences(): Promise<void> {
    const { regions } = this.options;
    const atNs = this.clock.now();
    const hashes = regions.map(() => createHash('sha256'));
    for (const stretch of this.portions.flat()) {
      for (const { block, data } of await this.readFirst(stretch)) {
        hashes[block.region]?.update(data);
        this.watched.set(block, { crc32: crc32(data), lastRightNs: atNs });
      }
    }
    for (const [index, { name, sha256 }] of regions.entries()) {
      const found = hashes[index]?.digest('hex');
      if (sha256 === undefined || sha256.toLowerCase() === found) continue;
      throw new RmkError(
        'RMK_ERR_INPUT',
        `options.regions[${index}].sha256: what the guest has in ${name} has the SHA-256 ${found}: it was changed before the start, or the address, the length or the SHA-256 is another guest's`,
      );
    }
  }

  private async lookAtNext(atNs: Nanoseconds): Promise<void> {
    // Where looking takes longer than an epoch, it is not begun again.
    if (this.looking) return;
    this.looking = true;
    try {
      await this.lookAt(this.nextPortion, atNs);
    } finally {
      this.looking = false;
    }
  }

  private async lookAt(portion: number, atNs: Nanoseconds): Promise<void> {
    const { generation } = this;
    const corrupted: RegionCorrupted[] = [];
    for (const stretch of this.portions[portion] ?? []) {
      const parts = await this.read(stretch);
      if (generation !== this.generation) return;
      for (const { block, data } of parts) {
        const found = this.compare(block, crc32(data), atNs);
        if (found !== undefined) corrupted.push(found);
      }
    }
    this.nextPortion = (portion + 1) % this.portions.length;
    if (corrupted.length > 0) this.damagedPortion = portion;
    else if (this.damagedPortion === portion) this.damagedPortion = undefined;
    this.report(corrupted);
  }

  private compare(block: Block, foundCrc32: number, atNs: Nanoseconds): RegionCorrupted | undefined {
    const watched = this.watched.get(block);
    if (watched === undefined) return undefined;
    const { crc32: expectedCrc32, lastRightNs } = watched;
    if (foundCrc32 === expectedCrc32) {
      watched.lastRightNs = atNs;
      return undefined;
    }
    const { address, bytes } = block;
    const region = this.nameOf(block.region);
    return { atNs, region, address, bytes, lastRightNs, expectedCrc32, foundCrc32 };
  }

  private report(corrupted: readonly RegionCorrupted[]): void {
    const [first] = corrupted;
    if (first === undefined) return;
    const topic = this.bus.topic('EVT_REGIONCORRUPTED');
    for (const one of corrupted) topic.publish(one);
    const others = corrupted.length > 1 ? ` and ${corrupted.length - 1} more` : '';
    this.bus.topic('EVT_ERRORDETECTED').publish({
      atNs: this.clock.now(),
      kind: 'silent-corruption',
      cause: `${first.region} has changed at 0x${first.address.toString(16)}${others}`,
      suspectSinceNs: Math.min(...corrupted.map(({ lastRightNs }) => lastRightNs)),
    });
  }

  private beginAgain(atNs: Nanoseconds, rightSinceNs: Nanoseconds): void {
    this.generation += 1;
    this.nextPortion = this.damagedPortion ?? this.nextPortion;
    for (const watched of this.watched.values())
      if (watched.lastRightNs >= rightSinceNs) watched.lastRightNs = atNs;
  }

  private async read({ address, bytes, blocks }: Stretch): Promise<readonly Part[]> {
    const data = await this.pageTable.read(address, bytes);
    return blocks.map((block) => {
      const offset = block.address - address;
      return { block, data: data.subarray(offset, offset + block.bytes) };
    });
  }

  private async readFirst(stretch: Stretch): Promise<readonly Part[]> {
    try {
      return await this.read(stretch);
    } catch (cause) {
      const index = stretch.blocks[0]?.region ?? 0;
      throw new RmkError(
        'RMK_ERR_INPUT',
        `options.regions[${index}], ${this.nameOf(index)}: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  private nameOf(region: number): string {
    return this.options.regions[region]?.name ?? '';
  }
}
