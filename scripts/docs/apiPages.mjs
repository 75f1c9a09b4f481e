// A page for each package: every exported item with its declaration, its comments, and links to the types that it
// names.
import { published, workspaces } from '../workspaces.mjs';
import { apiModel } from './apiModel.mjs';

/** @type {readonly (readonly [title: string, kinds: readonly string[]])[]} */
const GROUPS = [
  ['Functions', ['Function']],
  ['Classes', ['Class']],
  ['Interfaces', ['Interface']],
  ['Types', ['TypeAlias', 'Enum']],
  ['Constants', ['Variable']],
];

export const shortName = (name) => name.replace(/^@rmk\//, '');

/** Address → Markdown. */
export function apiPages() {
  const models = new Map(published.map((workspace) => [workspace.manifest.name, apiModel(workspace)]));
  const exported = new Map([...models].map(([name, items]) => [name, idsOf(items)]));
  const index = [...models]
    .map(([name, items]) => `| [${name}](/api/${shortName(name)}) | ${items.length} |`)
    .join('\n');
  const introduction =
    '# API reference\n\nGenerated from the public interface of each package. ' +
    'The [guides](/) explain how the parts work together.\n';
  return new Map([
    ['api/index', `${introduction}\n| package | exports |\n| --- | --- |\n${index}\n`],
    ...[...models].map(([name, items]) => [`api/${shortName(name)}`, pageOf(name, items, exported)]),
  ]);
}

/** Anchor of each name. VitePress lower-cases anchors in links, so `Bus` and `BUS` need different ones. */
function idsOf(items) {
  const ids = new Map();
  const used = new Set();
  for (const { name } of items) {
    if (ids.has(name)) continue;
    const id = name.toLowerCase();
    ids.set(name, used.has(id) ? `${id}-constant` : id);
    used.add(id);
  }
  return ids;
}

function pageOf(name, items, exported) {
  const folder = workspaces
    .find(({ manifest }) => manifest.name === name)
    ?.path.split('/')
    .slice(-2)
    .join('/');
  const done = new Set();
  const sections = GROUPS.map(([title, kinds]) => {
    const names = new Set(items.filter(({ kind }) => kinds.includes(kind)).map((item) => item.name));
    const parts = [...names]
      .filter((one) => !done.has(one))
      .map((one) =>
        itemOf(
          items.filter((item) => item.name === one),
          name,
          exported,
        ),
      );
    for (const one of names) done.add(one);
    if (parts.length === 0) return '';
    return `## ${title}\n\n${parts.join('\n')}`;
  });
  return `# API of ${name}\n\nWhat it is for: [README](/${folder}).\n\n${sections.filter((one) => one !== '').join('\n')}`;
}

/** Overloads of a function share one heading, and so do a type and a constant of the same name. */
function itemOf(overloads, packageName, exported) {
  const [first] = overloads;
  const comment = overloads.map(({ docComment }) => paragraphs(docComment)).find((text) => text !== '') ?? '';
  const declarations = overloads.map(declarationOf).join('\n');
  const named = [...new Set(overloads.flatMap((item) => referencesOf(item)))]
    .map((reference) => linkTo(reference, exported))
    .filter((link) => link !== undefined && link !== linkOf(packageName, first.name, exported));
  const links = named.length === 0 ? '' : `See ${[...new Set(named)].join(', ')}.\n`;
  return [
    `### ${first.name} {#${exported.get(packageName)?.get(first.name)}}\n`,
    comment,
    `\`\`\`ts\n${declarations}\n\`\`\`\n`,
    links,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function declarationOf(item) {
  const text = excerptOf(item);
  if (item.kind !== 'Interface' && item.kind !== 'Class') return text;
  const members = (item.members ?? []).map((member) => memberOf(member));
  return `${text} {\n${members.join('\n')}\n}`;
}

function memberOf(member) {
  const comment = (member.docComment ?? '')
    .trim()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  const [, only] = comment.length === 3 ? (/^ \* (.*)$/.exec(comment[1] ?? '') ?? []) : [];
  const lines = only === undefined ? comment : [`/** ${only} */`];
  const declaration = excerptOf(member).replaceAll('\n    ', '\n').split('\n');
  return [...lines, ...declaration].map((line) => `  ${line}`).join('\n');
}

function excerptOf({ excerptTokens }) {
  return excerptTokens
    .map(({ text }) => text)
    .join('')
    .replace(/^export declare /, '')
    .replaceAll(/^ {4,}/gm, (indent) => '  '.repeat(indent.length / 4))
    .trimEnd();
}

function referencesOf(item) {
  const own = item.excerptTokens
    .filter(({ kind, canonicalReference }) => kind === 'Reference' && canonicalReference !== undefined)
    .map(({ canonicalReference }) => canonicalReference);
  return [...own, ...(item.members ?? []).flatMap((member) => referencesOf(member))];
}

/** `@rmk/core!EpochPlan:interface` → a link to its heading, where there is one. */
function linkTo(reference, exported) {
  const [, packageName = '', name = ''] = /^(@rmk\/[\w-]+)!(\w+)/.exec(reference) ?? [];
  return linkOf(packageName, name, exported);
}

function linkOf(packageName, name, exported) {
  const id = exported.get(packageName)?.get(name);
  return id === undefined ? undefined : `[\`${name}\`](/api/${shortName(packageName)}#${id})`;
}

/** A doc comment as Markdown. */
export function paragraphs(docComment = '') {
  const text = docComment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/\s*$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .replaceAll(/\{@link (?:\w+\.)?(\w+)\}/g, '`$1`')
    .trim();
  // Outside inline code `<` would begin a tag.
  const escaped = text.replaceAll(/`[^`]*`|[<{]/g, (match) =>
    match === '<' ? '&lt;' : match === '{' ? '&#123;' : match,
  );
  return escaped === '' ? '' : `${escaped}\n`;
}
