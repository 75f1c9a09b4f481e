import 'reflect-metadata';
import { BUS, CLOCK, definePlugin, type Bus, type Class, type Clock } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { domainOf, errorOf } from '../testDomain.js';

const withModule = (module: Class) => [
  definePlugin({ name: 'x', version: '1.0.0', rmk: '*', modules: [module] })(),
];

@injectable()
class Base {
  constructor(@inject(BUS) readonly bus: Bus) {}
  start(): void {}
}

/** Classes that only JavaScript can write, or that a compiler would rewrite. */
function written(source: string, scope: Readonly<Record<string, unknown>> = {}): Class {
  // oxlint-disable-next-line typescript/no-implied-eval
  return new Function(...Object.keys(scope), `return ${source}`)(...Object.values(scope)) as Class;
}
const extending = (body: string): Class => written(`class Sub extends Base { ${body} }`, { Base });

describe('a class that inherits a constructor to be injected', () => {
  it.each<[string, Class]>([
    ['has no member', extending('')],
    ['calls its own constructor', extending('copy() { return new this.constructor (this.bus); }')],
    ['mentions one in a comment', extending('/* constructor (bus) {} */')],
    ['mentions one after //', extending('// constructor (bus) {}\n')],
    ['mentions one in a string', extending(`text = "constructor (bus) {}"; 'other constructor()' = 1;`)],
    ['mentions one in a template', extending('text = `constructor (${"constructor ()"})`;')],
    ['mentions one in a regular expression', extending('pattern = /constructor ()/;')],
    ['has a nested class with one', extending('make() { return class { constructor (bus) {} } }')],
    ['has a private method #construct', extending('#construct(bus) {} constructor$(bus) {}')],
    ['has a computed method', extending('["constructor"](bus) {}')],
    ['has a static method of the name', extending('static constructor(bus) {}')],
    ['got one from a compiler', extending('constructor() { super(...arguments); this.count = 1; }')],
    ['only hands its arguments on', extending('constructor(...all) { super(...all); }')],
    ['is the grandchild', written('class Sub extends (class Middle extends Base {}) {}', { Base })],
    ['uses private names around it', extending('static of(other) { return #id in other; } #id = 1;')],
  ])('is refused if it %s', async (_, module) => {
    const error = await errorOf(domainOf(withModule(module)));
    expect(error.reason).toBe(
      'x: Sub cannot be injected: it inherits its constructor from Base. Give it one of its own, with @inject(TOKEN) on each parameter',
    );
  });

  it('starts if its base needs no argument', async () => {
    class Root {
      constructor(
        readonly count = 3,
        ...others: readonly number[]
      ) {
        expect(others).toEqual([]);
      }
    }
    class Sub extends Root {
      start(): void {
        seen.push(this.count);
      }
    }
    const seen: number[] = [];
    await domainOf(withModule(Sub));
    expect(seen).toEqual([3]);
  });
});

describe('a class with a constructor of its own', () => {
  it.each<[string, Class]>([
    ['without parameters', extending('constructor() { super("a bus of its own"); }')],
    ['with a quoted name', extending('"constructor"() { super("a bus of its own"); }')],
    ['with only a default', extending('constructor(bus = "(,)") { super(bus); }')],
    ['with only a destructured default', extending('constructor({ bus } = {}) { super(bus); }')],
    ['with only a rest', extending('constructor(...all) { super(all[0]); }')],
    ['as a function', written('function Old() {}')],
  ])('starts %s', async (_, module) => {
    const { domain } = await domainOf(withModule(module));
    expect(domain.plugins).toMatchObject([{ state: 'active' }]);
  });

  it.each<[string, Class, string]>([
    ['after a default', extending('constructor(retries = 3, clock) { super(); }'), 'parameter 2 (clock)'],
    [
      'after a default with commas and brackets',
      extending('constructor(retries = f(",", [1, 2]), clock) { super(); }'),
      'parameter 2 (clock)',
    ],
    ['before a rest', extending('constructor(clock, ...all) { super(); }'), 'parameter 1 (clock)'],
    ['with a comment', extending('constructor(/* a, b */ clock) { super(); }'), 'parameter 1 (clock)'],
    ['that is destructured', extending('constructor({ now }) { super(); }'), 'parameter 1'],
    ['of a function', written('function Sub(clock) {}'), 'parameter 1 (clock)'],
  ])('is refused for a parameter without @inject %s', async (_, module, parameter) => {
    const error = await errorOf(domainOf(withModule(module)));
    expect(error.reason).toBe(
      `x: Sub cannot be injected: put @injectable() on the class and @inject(TOKEN) on ${parameter} of its constructor`,
    );
  });

  it('is refused for a forgotten @inject between a default and an injected parameter', async () => {
    @injectable()
    class Sub {
      constructor(
        @inject(BUS) readonly bus: Bus,
        readonly retries = 3,
        readonly forgotten: Clock,
        @inject(CLOCK) readonly clock: Clock,
      ) {}
      start(): void {}
    }
    const error = await errorOf(domainOf(withModule(Sub)));
    expect(error.reason).toContain('on parameter 3 (forgotten) of its constructor');
  });

  it('keeps its defaults beside what is injected', async () => {
    const seen: unknown[] = [];
    @injectable()
    class Sub {
      constructor(
        @inject(BUS) readonly bus: Bus,
        readonly retries = 3,
        @inject(CLOCK) readonly clock: Clock = seen as unknown as Clock,
        ...others: readonly unknown[]
      ) {
        seen.push(bus === undefined, retries, clock === (seen as unknown), others.length);
      }
      start(): void {}
    }
    await domainOf(withModule(Sub));
    expect(seen).toEqual([false, 3, false, 0]);
  });
});
