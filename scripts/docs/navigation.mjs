// What the site's navigation takes from the packages.
import { workspaces } from '../workspaces.mjs';

export const version =
  workspaces.find(({ manifest }) => manifest.name === '@rmk/core')?.manifest.version ?? '';

/** A link to the page of each package in `packages` or `plugins`. */
export function packagePages(folder) {
  return workspaces
    .map(({ path }) => path.split('/').slice(-2))
    .filter(([parent]) => parent === folder)
    .map(([parent, name]) => ({ text: name, link: `/${parent}/${name}` }));
}
