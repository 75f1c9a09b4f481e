// Reference pages, each from the source that the code itself uses: events and their payloads from core's declarations,
// options from the schemas of the plugins, tokens from the manifests, error codes from core's table.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { workspaces } from '../workspaces.mjs';
import { paragraphs, shortName } from './apiPages.mjs';
import { apiModel } from './apiModel.mjs';
import { read } from './repository.mjs';

const folderOf = ({ path }) => path.split('/').slice(-2).join('/');
const built = (workspace) => import(pathToFileURL(join(workspace.path, 'dist', 'index.js')).href);
const core = workspaces.find(({ manifest }) => manifest.name === '@rmk/core');
const GENERATED = 'Generated from the sources.';

/** A plugin's factory, which is named after its package, with the manifest. Calling it only makes inert data. */
async function pluginOf(workspace) {
  const factory = shortName(workspace.manifest.name).replaceAll(/-(\w)/g, (_, letter) =>
    letter.toUpperCase(),
  );
  const { [factory]: make } = await built(workspace);
  if (typeof make !== 'function') throw new Error(`${workspace.manifest.name} does not export ${factory}()`);
  return { workspace, factory, definition: make().definition };
}

const isPlugin = (workspace) =>
  folderOf(workspace).startsWith('plugins/') || workspace.manifest.name === '@rmk/checkpoint';

async function allPlugins() {
  return Promise.all(workspaces.filter(isPlugin).map(pluginOf));
}

/** The declaration of each event in core's `RmkEvents`, with the comments in and above it. */
function declaredEvents() {
  const events = membersOf('RmkEvents');
  const facts = membersOf('Facts');
  for (const [name, event] of events) {
    const [, fact] = /^Facts\['(\w+)'\]$/.exec(event.type) ?? [];
    const resolved = fact === undefined ? undefined : facts.get(fact);
    if (resolved !== undefined)
      events.set(name, { type: resolved.type, comment: event.comment || resolved.comment, isFact: true });
  }
  return events;
}

/** Members of an interface of core, from its source: declarations drop the comments inside of a type. */
function membersOf(name) {
  const source = ['events.ts', 'machine.ts'].map((file) => read(`packages/core/src/${file}`)).join('\n');
  const [, body = ''] =
    new RegExp(`^export interface ${name} \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(source) ?? [];
  const members = new Map();
  for (const [, comment = '', member, type] of body.matchAll(
    /((?: {2}\/\*\*[\s\S]*?\*\/\n)?) {2}(\w+): (\{\n[\s\S]*?^ {2}\}|[^\n]*?);$/gm,
  ))
    members.set(member, { type: type.replaceAll('\n  ', '\n'), comment: paragraphs(comment.trim()) });
  return members;
}

/** Which packages publish and listen to an event: what their sources do with the bus. */
function usesOfEvents() {
  const publishes = new Map();
  const consumes = new Map();
  for (const workspace of workspaces) {
    const sources = sourcesOf(workspace);
    const note = (uses, pattern) => {
      for (const [, event] of sources.matchAll(pattern))
        uses.set(event, new Set([...(uses.get(event) ?? []), folderOf(workspace)]));
    };
    note(publishes, /(?:\.topic|\.publishUnnumbered|\bpublish)\(\s*'(EVT_[A-Z]+)'/g);
    note(consumes, /\.on\(\s*'(EVT_[A-Z]+)'/g);
  }
  return { publishes, consumes };
}

function sourcesOf({ path }) {
  const folder = join(path, 'src');
  if (!existsSync(folder)) return '';
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
    .replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
}

const linksTo = (folders) =>
  folders === undefined || folders.size === 0
    ? 'none'
    : [...folders].map((folder) => `[${folder.split('/').at(-1)}](/${folder})`).join(', ');

/** The row of an event in core's README: when it is published, and by which part. */
function rowsOfReadme() {
  const rows = read('packages/core/README.md').matchAll(/^\| `(EVT_[A-Z]+)` +\| (.+?) +\| (.+?) +\|$/gm);
  return new Map([...rows].map(([, event, when, by]) => [event, { when, by }]));
}

export function eventsPage() {
  const events = declaredEvents();
  const { publishes, consumes } = usesOfEvents();
  const rows = rowsOfReadme();
  const sections = [...events].map(([name, { type, comment, isFact = false }]) => {
    const { when = '', by = '' } = rows.get(name) ?? {};
    // The comment of a fact says the same in full.
    const sentence =
      when === '' || (isFact && comment !== '') ? '' : `${when.charAt(0).toUpperCase()}${when.slice(1)}.\n`;
    const publisher = publishes.has(name) ? `${by} (${linksTo(publishes.get(name))})` : by;
    return [
      `## ${name} {#${name.toLowerCase()}}\n`,
      sentence,
      comment,
      `\`\`\`ts\n${type}\n\`\`\`\n`,
      `Published by: ${publisher}. Subscribers in RMK: ${linksTo(consumes.get(name))}.\n`,
    ]
      .filter((part) => part !== '')
      .join('\n');
  });
  return `# Events\n\n${GENERATED} Each delivered event also has \`source\` (the plugin) and \`sequence\`. How to declare one of
your own: [@rmk/core](/packages/core#events).\n\n${sections.join('\n')}`;
}

export async function tokensPage() {
  const { membersOf: tokenMembers, ...exports } = await built(core);
  const comments = new Map(apiModel(core).map(({ name, docComment }) => [name, paragraphs(docComment)]));
  const types = new Map(
    apiModel(core)
      .filter(({ kind }) => kind === 'Variable')
      .map(({ name, excerptTokens }) => [
        name,
        /Token<(\w+)>/.exec(excerptTokens.map(({ text }) => text).join(''))?.[1],
      ]),
  );
  const plugins = await allPlugins();
  const named = (list, token) =>
    new Set(plugins.filter(list(token)).map(({ workspace }) => folderOf(workspace)));
  const tokens = Object.entries(exports).filter(([, value]) => typeof value === 'symbol');
  const sections = tokens.map(([name, token]) => {
    const type = types.get(name);
    const members = tokenMembers(token);
    const providers = named(
      (of) =>
        ({ definition }) =>
          definition.provides?.some((one) => one.token === of),
      token,
    );
    const users = named(
      (of) =>
        ({ definition }) =>
          [...(definition.requires ?? []), ...(definition.optional ?? [])].includes(of),
      token,
    );
    return [
      `## ${name} {#${name.toLowerCase()}}\n`,
      comments.get(name) ?? '',
      type === undefined || type === 'unknown'
        ? ''
        : `Type: [\`${type}\`](/api/core#${type.toLowerCase()}).\n`,
      members.length === 0 ? '' : `Members: ${members.map((member) => `\`${member}\``).join(', ')}.\n`,
      `Provided by: ${providers.size === 0 ? '[kernel](/packages/kernel)' : linksTo(providers)}. Used by: ${linksTo(users)}.\n`,
    ]
      .filter((part) => part !== '')
      .join('\n');
  });
  return `# Tokens\n\n${GENERATED} A token names something that one plugin provides and others require.
How a plugin requires one: [@rmk/core](/packages/core#tokens).\n\n${sections.join('\n')}`;
}

/** The options that a schema accepts, as JSON Schema describes them. */
function optionsOf({ options }) {
  if (options === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    default: schema.default,
    isRequired: required.includes(name),
    schema,
  }));
}

/** What the README of a plugin says of each option. */
function meaningsOf(workspace) {
  const readme = read(`${folderOf(workspace)}/README.md`);
  const [, section = ''] = /^## Options.*\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(readme) ?? [];
  return new Map(
    [...section.matchAll(/^\| `([\w.]+)` +\|(.*)\|$/gm)].map(([, name, rest]) => [
      name,
      rest.replaceAll('\\|', '\u0000').split('|').at(-1).replaceAll('\u0000', '\\|').trim(),
    ]),
  );
}

/** The comment of each option in the schema, where the README has no row for it. */
function commentsOf(workspace) {
  const file = join(workspace.path, 'src', 'options.ts');
  if (!existsSync(file)) return new Map();
  const commented = readFileSync(file, 'utf8').matchAll(/^ {2,4}(\/\*\*[\s\S]*?\*\/)\n {2,4}(\w+):/gm);
  return new Map(
    [...commented].map(([, comment, name]) => [name, paragraphs(comment).replaceAll(/\s+/g, ' ')]),
  );
}

const value = (of) =>
  of === undefined ? '' : `\`${typeof of === 'string' ? `'${of}'` : JSON.stringify(of)}\``;

export async function optionsPage() {
  const { isDuration } = await built(core);
  const sections = (await allPlugins()).map(({ workspace, factory, definition }) => {
    const meanings = new Map([...commentsOf(workspace), ...meaningsOf(workspace)]);
    const options = optionsOf(definition);
    const heading = `## ${workspace.manifest.name} {#${shortName(workspace.manifest.name)}}\n`;
    const link = `Factory: \`${factory}()\`. [README](/${folderOf(workspace)})\n`;
    if (options.length === 0) return `${heading}\n${link}\nNo options.\n`;
    const rows = options.map(
      ({ name, default: byDefault, isRequired, schema }) =>
        `| \`${name}\` | ${isRequired ? 'required' : value(byDefault) || '–'} | ${rangeOf(schema, isDuration)} | ${meanings.get(name) ?? ''} |`,
    );
    return `${heading}\n${link}\n| option | default | values | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  return `# Options\n\n${GENERATED} Names, defaults and ranges come from the schemas that check the options; an unknown or
invalid option is [\`RMK_ERR_OPTIONS\`](/errors#rmk_err_options). The preset passes most of these on:
[preset-microcheckpoint](/packages/preset-microcheckpoint). The options of a config file: [cli](/packages/cli#the-config-file).\n\n${sections.join('\n')}`;
}

const KINDS = {
  string: 'text',
  array: 'list',
  object: 'object',
  boolean: 'true or false',
  integer: 'integer',
  number: 'number',
};

function rangeOf(schema, isDuration) {
  const {
    minimum,
    maximum,
    exclusiveMinimum,
    exclusiveMaximum,
    type,
    enum: values,
    default: byDefault,
  } = schema;
  if (values !== undefined) return `${values.map(value).join(', ')}`;
  // JSON Schema knows no durations: the schema checks them by a function.
  if (type === undefined) return isDuration(byDefault) ? 'duration' : '';
  const bounded = (bound) => bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  if (bounded(minimum) && bounded(maximum)) return `${KINDS[type]}, ${minimum} to ${maximum}`;
  const bounds = [
    bounded(minimum) ? `${minimum} or more` : '',
    bounded(exclusiveMinimum) ? `above ${exclusiveMinimum}` : '',
    bounded(maximum) ? `at most ${maximum}` : '',
    bounded(exclusiveMaximum) ? `below ${exclusiveMaximum}` : '',
  ].filter((bound) => bound !== '');
  return [KINDS[type], ...bounds].join(', ');
}
