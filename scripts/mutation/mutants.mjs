// Lists the mutants of a source file: one operator, bound, guard, reset or order each.
// Wording is left alone (strings, templates, what is thrown), and so are types and imports.
import { basename } from 'node:path';
import { parseSync } from 'oxc-parser';

const SWAPPED = new Map(
  Object.entries({
    '<': ['<=', '>='],
    '<=': ['<', '>'],
    '>': ['>=', '<='],
    '>=': ['>', '<'],
    '===': ['!=='],
    '!==': ['==='],
    '+': ['-'],
    '-': ['+'],
    '*': ['/'],
    '/': ['*'],
    '%': ['*'],
    '**': ['*'],
    '<<': ['>>'],
    '>>': ['<<'],
    '>>>': ['>>', '<<'],
    '&': ['|'],
    '|': ['&'],
    '^': ['&'],
    '&&': ['||'],
    '||': ['&&'],
    '+=': ['-='],
    '-=': ['+='],
    '*=': ['/='],
    '/=': ['*='],
    '|=': ['&='],
    '&=': ['|='],
    '^=': ['&='],
    '<<=': ['>>='],
    '>>=': ['<<='],
    '>>>=': ['<<='],
    '??=': ['='],
    '||=': ['=', '&&='],
    '&&=': ['=', '||='],
    '++': ['--'],
    '--': ['++'],
  }),
);

const SWAPPED_METHODS = new Map(
  Object.entries({
    min: 'max',
    max: 'min',
    some: 'every',
    every: 'some',
    floor: 'ceil',
    ceil: 'floor',
    push: 'unshift',
    unshift: 'push',
    shift: 'pop',
    pop: 'shift',
    startsWith: 'endsWith',
    endsWith: 'startsWith',
    find: 'findLast',
    findLast: 'find',
  }),
);

const SKIPPED_KEYS = new Set([
  'typeAnnotation',
  'typeParameters',
  'typeArguments',
  'returnType',
  'superTypeArguments',
  'implements',
  'decorators',
]);

/** Expressions of TypeScript that hold code; every other `TS…` node is a type. */
const CODE_OF_TYPESCRIPT = new Set([
  'TSAsExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
  'TSParameterProperty',
]);

const LOOPS = new Set([
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
]);

const REMOVABLE = new Set(['CallExpression', 'AssignmentExpression', 'AwaitExpression', 'UpdateExpression']);

/**
 * The mutants of `source`, and where the bodies of its loops begin.
 * A mutant's `key` names it by file, declaration and text, so that it survives edits elsewhere in the file.
 */
export function mutantsOf(path, source) {
  const { program, errors } = parseSync(path, source, { lang: 'ts' });
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0].message}`);

  const mutants = [];
  const loops = [];
  const text = (node) => source.slice(node.start, node.end);

  const visit = (node, scope) => {
    if (Array.isArray(node)) {
      for (const child of node) visit(child, scope);
      return;
    }
    if (!node || typeof node.type !== 'string') return;
    if (node.type.startsWith('TS') && !CODE_OF_TYPESCRIPT.has(node.type)) return;
    if (node.type === 'ImportDeclaration' || node.declare) return;
    if (node.type === 'TemplateLiteral' || node.type === 'TaggedTemplateExpression') return;
    if (node.type === 'ThrowStatement') return;
    if (node.type === 'NewExpression' && text(node.callee).endsWith('Error')) return;

    const inner = { ...scope, names: withName(scope.names, node) };
    if (node.type === 'ChainExpression') inner.chain = node;
    if (LOOPS.has(node.type) && node.body.type === 'BlockStatement') loops.push(node.body.start + 1);
    mutate(node, inner);
    for (const [key, child] of Object.entries(node)) {
      if (SKIPPED_KEYS.has(key) || typeof child !== 'object') continue;
      if (key === 'key' && !node.computed) continue;
      visit(child, key === 'arguments' || key === 'property' ? { ...inner, chain: undefined } : inner);
    }
  };

  const add = (scope, kind, { start, end }, mutant, isStatement = false) => {
    const original = source.slice(start, end);
    if (original !== mutant)
      mutants.push({ kind, names: scope.names, start, end, original, mutant, isStatement });
  };
  const addOperator = (scope, node, left, right) => {
    const at = source.indexOf(node.operator, left);
    if (at < 0 || at >= right) return;
    for (const operator of SWAPPED.get(node.operator) ?? []) {
      add(
        scope,
        'operator',
        node,
        text(node).slice(0, at - node.start) +
          operator +
          text(node).slice(at - node.start + node.operator.length),
      );
    }
  };

  const mutate = (node, scope) => {
    switch (node.type) {
      case 'BinaryExpression':
        if (node.operator === '+' && (isText(node.left) || isText(node.right))) return;
        return addOperator(scope, node, node.left.end, node.right.start);
      case 'LogicalExpression':
        if (node.operator === '??') return add(scope, 'guard', node, `(${text(node.left)})`);
        return addOperator(scope, node, node.left.end, node.right.start);
      case 'AssignmentExpression':
        return addOperator(scope, node, node.left.end, node.right.start);
      case 'UpdateExpression':
        return add(scope, 'operator', node, text(node).replace(node.operator, SWAPPED.get(node.operator)[0]));
      case 'UnaryExpression':
        if (['!', '-', '~'].includes(node.operator)) add(scope, 'operator', node, `(${text(node.argument)})`);
        return;
      case 'IfStatement':
      case 'ConditionalExpression':
        add(scope, 'guard', node.test, '(true)');
        return add(scope, 'guard', node.test, '(false)');
      case 'WhileStatement':
      case 'ForStatement':
        if (node.test) add(scope, 'bound', node.test, '(false)');
        return;
      case 'Literal':
        return mutateLiteral(node, scope);
      case 'ArrayExpression':
        if (node.elements.length > 0) add(scope, 'reset', node, '[]');
        return;
      case 'AwaitExpression':
        return add(scope, 'order', node, `(${text(node.argument)})`);
      case 'CallExpression': {
        const { callee } = node;
        const swapped =
          callee.type === 'MemberExpression' && !callee.computed && SWAPPED_METHODS.get(callee.property.name);
        if (!swapped) return;
        // A part of `a?.b.c()` cannot be replaced alone, since the rest depends on whether `a` is there.
        const whole = scope.chain ?? node;
        const { start, end } = callee.property;
        return add(
          scope,
          'operator',
          whole,
          source.slice(whole.start, start) + swapped + source.slice(end, whole.end),
        );
      }
      case 'ExpressionStatement':
        if (REMOVABLE.has(node.expression.type) && node.expression.callee?.type !== 'Super')
          add(scope, 'reset', node, ';', true);
        return;
      case 'Program':
      case 'BlockStatement':
        return mutateOrder(node.body, scope);
      default:
    }
  };

  const mutateLiteral = (node, scope) => {
    if (typeof node.value === 'boolean') return add(scope, 'reset', node, String(!node.value));
    if (typeof node.value === 'bigint') return add(scope, 'bound', node, `${node.value + 1n}n`);
    if (typeof node.value !== 'number') return;
    return add(scope, 'bound', node, String(Number.isInteger(node.value) ? node.value + 1 : node.value * 2));
  };

  const mutateOrder = (statements, scope) => {
    for (let i = 0; i + 1 < statements.length; i += 1) {
      const [first, second] = [statements[i], statements[i + 1]];
      if (first.type !== 'ExpressionStatement' || second.type !== 'ExpressionStatement') continue;
      if (first.directive || first.expression.callee?.type === 'Super') continue;
      const between = source.slice(first.end, second.start);
      add(
        scope,
        'order',
        { start: first.start, end: second.end },
        text(second) + between + text(first),
        true,
      );
      i += 1;
    }
  };

  visit(program, { names: [] });
  return { mutants: named(path, source, mutants), loops };
}

function isText(node) {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string');
}

function withName(names, node) {
  const name =
    node.type === 'VariableDeclarator'
      ? isFunction(node.init) && node.id.name
      : node.type === 'ClassDeclaration' || node.type === 'FunctionDeclaration'
        ? node.id?.name
        : node.type === 'MethodDefinition' || node.type === 'PropertyDefinition'
          ? node.key.name
          : node.type === 'Property'
            ? isFunction(node.value) && node.key.name
            : undefined;
  return name ? [...names, name] : names;
}

function isFunction(node) {
  return node?.type === 'ArrowFunctionExpression' || node?.type === 'FunctionExpression';
}

/** Gives each mutant its key and its line. Mutants of the same text in the same declaration are numbered. */
function named(path, source, mutants) {
  const seen = new Map();
  return mutants.map((mutant) => {
    const oneLine = (text) => text.replace(/\s+/g, ' ').trim();
    const base = [
      basename(path),
      mutant.names.join('.'),
      `${oneLine(mutant.original)} → ${oneLine(mutant.mutant)}`,
    ].join(' · ');
    const count = (seen.get(base) ?? 0) + 1;
    seen.set(base, count);
    const line = source.slice(0, mutant.start).split('\n').length;
    return { ...mutant, path, line, key: count === 1 ? base : `${base} · ${count}` };
  });
}

/**
 * `source` with all of `mutants` in it, each behind a switch: `rmkMutants.is(id)` notes that it was reached and says
 * whether it is the one that takes effect. Loops count, so that one that a mutant made endless ends with an error.
 */
export function withSwitches(source, mutants, loops) {
  const edits = [...mutants, ...loops.map((at) => ({ start: at, end: at, isTick: true }))];
  edits.sort(
    (a, b) => a.start - b.start || b.end - a.end || Number(a.isTick ?? false) - Number(b.isTick ?? false),
  );

  const render = (start, end, within) => {
    let text = '';
    let at = start;
    for (let i = 0; i < within.length;) {
      const edit = within[i];
      text += source.slice(at, edit.start);
      at = edit.end;
      const isAlternative = (other) => !edit.isTick && other.start === edit.start && other.end === edit.end;
      let inner = i + 1;
      while (inner < within.length && isAlternative(within[inner])) inner += 1;
      const alternatives = within.slice(i, inner);
      i = inner;
      while (i < within.length && within[i].start < edit.end) i += 1;
      text += edit.isTick
        ? ' globalThis.rmkMutants.tick();'
        : switched(alternatives, render(edit.start, edit.end, within.slice(inner, i)));
    }
    return text + source.slice(at, end);
  };
  return render(0, source.length, edits);
}

function switched(alternatives, original) {
  const is = ({ id }) => `globalThis.rmkMutants.is(${id})`;
  return alternatives[0].isStatement
    ? `{ ${alternatives.map((each) => `if (${is(each)}) { ${each.mutant} } else `).join('')}{ ${original} } }`
    : `(${alternatives.map((each) => `${is(each)} ? (${each.mutant}) : `).join('')}(${original}))`;
}
