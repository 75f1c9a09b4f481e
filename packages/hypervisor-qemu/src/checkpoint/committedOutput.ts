/** A device that puts out bytes. */
export interface OutputDevice {
  readonly name: string;
  /** Bytes put out in all, also those that were undone. */
  readonly receivedBytes: number;
}

/** How far the committed output of each device reaches: what it put out, without what rollbacks and restarts undid. */
export class CommittedOutput {
  /** Bytes of each device that were undone. */
  private readonly struckBytes = new Map<string, number>();

  constructor(private readonly devices: readonly OutputDevice[]) {}

  position({ name, receivedBytes }: OutputDevice): number {
    return receivedBytes - (this.struckBytes.get(name) ?? 0);
  }

  positions(): ReadonlyMap<string, number> {
    return new Map(this.devices.map((device) => [device.name, this.position(device)]));
  }

  /** Undoes what the devices have put out since `positions`. Returns how many bytes that were. */
  strikeSince(positions: ReadonlyMap<string, number>): number {
    let all = 0;
    for (const device of this.devices) {
      const bytes = this.position(device) - (positions.get(device.name) ?? 0);
      this.struckBytes.set(device.name, (this.struckBytes.get(device.name) ?? 0) + bytes);
      all += bytes;
    }
    return all;
  }

  /** As a restart does. Returns how many bytes that were. */
  strikeAll(): number {
    return this.strikeSince(new Map());
  }
}
