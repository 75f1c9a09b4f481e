import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pluginNames, UsageError } from '../src/index.js';

describe('the names of a plugin', () => {
  it.each([
    [
      'room-temperature',
      'rmk-plugin-room-temperature',
      'roomTemperature',
      'RoomTemperature',
      'ROOMTEMPERATURE',
    ],
    ['rmk-plugin-fan', 'rmk-plugin-fan', 'fan', 'Fan', 'FAN'],
    ['@acme/fan.speed_2', '@acme/rmk-plugin-fan.speed_2', 'fanSpeed2', 'FanSpeed2', 'FANSPEED2'],
    ['@acme/rmk-plugin-fan', '@acme/rmk-plugin-fan', 'fan', 'Fan', 'FAN'],
  ])('of %s', (name, packageName, camelCase, pascalCase, capitals) => {
    const folder = packageName.replace(/^@acme\//, '');
    expect(pluginNames(name)).toEqual({ packageName, folder, camelCase, pascalCase, capitals });
  });

  it.each([
    ['', 'it takes lower-case letters and digits, a letter first'],
    ['Room', 'it takes lower-case letters'],
    ['9lives', 'a letter first'],
    ['-fan', 'a letter first'],
    ['fan--speed', 'with - . or _ between words'],
    ['../fan', 'a letter first'],
    ['fan/../../etc', 'between words'],
    ['fan speed', 'between words'],
    ['rmk-plugin-', 'a letter first'],
    ['@/fan', 'a scope is @ and lower-case letters'],
    ['@acme/', 'a letter first'],
    ['@../fan', 'a scope is @'],
    ['a'.repeat(204), '215 characters, with rmk-plugin-, are more than npm allows, 214'],
    ['delete', 'it is a word of TypeScript: add one, such as delete-detector'],
  ])('are not made of %j', (name, reason) => {
    expect(() => pluginNames(name)).toThrow(UsageError);
    expect(() => pluginNames(name)).toThrow(reason);
  });

  it('are legal for npm, as a folder and in TypeScript, or refused, whatever is given', () => {
    const alphabet = fc.constantFrom(...Array.from('abzAZ019-._@/\\ \u0000é~'));
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 14 }), (name) => {
        try {
          const { packageName, folder, camelCase, pascalCase, capitals } = pluginNames(name);
          expect(packageName).toMatch(/^(@[a-z0-9][a-z0-9._-]*\/)?rmk-plugin-[a-z][a-z0-9._-]*$/);
          expect(folder).toMatch(/^rmk-plugin-[a-z][a-z0-9._-]*$/);
          expect(camelCase).toMatch(/^[a-z][A-Za-z0-9]*$/);
          expect(pascalCase).toMatch(/^[A-Z][A-Za-z0-9]*$/);
          expect(capitals).toMatch(/^[A-Z][A-Z0-9]*$/);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
