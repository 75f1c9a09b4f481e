import { parse, type ClassBody, type Expression, type Function as FunctionNode, type Pattern } from 'acorn';
import type { Class } from '@rmk/core';

interface Parameter {
  /** Undefined if it is destructured, or if the source cannot be read. */
  readonly name: string | undefined;
  /** Whether the constructor depends on an argument. A parameter with a default, or the rest, does not. */
  readonly isNeeded: boolean;
}

/** The constructor that a class has in its own source. */
export interface OwnConstructor {
  readonly parameters: readonly Parameter[];
}

/**
 * Reads the constructor in the source of a class. Undefined if the class inherits its constructor. JavaScript says so
 * nowhere else: `length` is 0 then too, and stops at the first default.
 */
export function ownConstructor(one: Class): OwnConstructor | undefined {
  const source = expressionOf(one);
  if (source?.type === 'FunctionExpression') return { parameters: source.params.map(parameterOf) };
  // Native code, or syntax that the parser does not know: `length` is all that there is.
  if (source?.type !== 'ClassExpression')
    return { parameters: Array.from({ length: one.length }, () => ({ name: undefined, isNeeded: true })) };
  const written = constructorIn(source.body);
  if (written === undefined || passesAllOn(written)) return undefined;
  return { parameters: written.params.map(parameterOf) };
}

/** The source of a class never changes, and domains are created again and again from the same plugins. */
const expressions = new WeakMap<Class, { readonly of: Expression | undefined }>();

function expressionOf(one: Class): Expression | undefined {
  const known = expressions.get(one);
  if (known !== undefined) return known.of;
  const expression = parsedExpression(one);
  expressions.set(one, { of: expression });
  return expression;
}

function parsedExpression(one: Class): Expression | undefined {
  try {
    const { body } = parse(`(${Function.prototype.toString.call(one)})`, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      allowAwaitOutsideFunction: true,
      // A nested class may use private names of the class around it.
      checkPrivateFields: false,
    });
    const [statement] = body;
    return statement?.type === 'ExpressionStatement' ? statement.expression : undefined;
  } catch {
    return undefined;
  }
}

function constructorIn({ body }: ClassBody): FunctionNode | undefined {
  for (const member of body)
    if (member.type === 'MethodDefinition' && member.kind === 'constructor') return member.value;
  return undefined;
}

function parameterOf(parameter: Pattern): Parameter {
  if (parameter.type === 'AssignmentPattern') return { ...parameterOf(parameter.left), isNeeded: false };
  if (parameter.type === 'RestElement') return { ...parameterOf(parameter.argument), isNeeded: false };
  return { name: parameter.type === 'Identifier' ? parameter.name : undefined, isNeeded: true };
}

/**
 * Whether a constructor only hands all arguments to that of its base, as `super(...arguments)` or `super(...rest)`.
 * Compilers write the former where a class has fields and no constructor.
 */
function passesAllOn({ params, body }: FunctionNode): boolean {
  const [first, ...others] = params;
  if (others.length > 0 || (first !== undefined && first.type !== 'RestElement')) return false;
  const all =
    first === undefined
      ? 'arguments'
      : first.argument.type === 'Identifier'
        ? first.argument.name
        : undefined;
  return (
    body.type === 'BlockStatement' &&
    body.body.some((statement) => {
      if (statement.type !== 'ExpressionStatement') return false;
      const { expression } = statement;
      if (expression.type !== 'CallExpression' || expression.callee.type !== 'Super') return false;
      const [spread] = expression.arguments;
      return (
        spread?.type === 'SpreadElement' &&
        spread.argument.type === 'Identifier' &&
        spread.argument.name === all
      );
    })
  );
}
