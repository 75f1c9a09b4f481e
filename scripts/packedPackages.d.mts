/** The path of the tarball of each package of this project, by the package's name. */
export type PackedPackages = ReadonlyMap<string, string>;

/** Packs all packages into a folder as `npm publish` would, from what was built. */
export function packPackages(folder: string): Promise<PackedPackages>;

/**
 * Makes the package in `folder` use ours from their tarballs: what depends on one of them gets the tarball too, and no
 * registry is asked for it. A path that is relative is so to `folder`.
 */
export function usePacked(folder: string, packed: PackedPackages): void;
