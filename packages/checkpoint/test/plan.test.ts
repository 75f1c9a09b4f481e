import { PAGE_BYTES, type EpochPlan } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { readPlan } from '../src/plan.js';

describe('what an algorithm returns', () => {
  it.each<EpochPlan>([
    { preSave: 'none' },
    { preSave: 'updated' },
    { preSave: 'none', add: Uint32Array.of(1), drop: Uint32Array.of(2), clusterPages: 4 },
  ])('is taken as a plan: %j', (plan) => {
    expect(readPlan(plan, 'x')).toEqual(plan);
  });

  it.each([
    [undefined, /^RMK_ERR_INPUT: x: plan\(\): .*: let plan\(\) return what to save ahead/],
    [7, /^RMK_ERR_INPUT: x: plan\(\): /],
    [null, /^RMK_ERR_INPUT: x: plan\(\): /],
    [{ preSave: 'all' }, /^RMK_ERR_INPUT: x: plan\(\)\.preSave: /],
    [{ preSave: 'none', add: [1] }, /^RMK_ERR_INPUT: x: plan\(\)\.add: /],
    [{ preSave: 'none', clusterPages: String(PAGE_BYTES) }, /^RMK_ERR_INPUT: x: plan\(\)\.clusterPages: /],
  ])('is refused where it is no plan, with the path of the problem: %j', (given, problem) => {
    expect(() => readPlan(given, 'x')).toThrow(problem);
  });

  it('is refused where it is a promise, whose rejection does not end the process', () => {
    const rejected = Promise.reject(new Error('too late'));
    expect(() => readPlan(rejected, 'x')).toThrow(/^RMK_ERR_INPUT: x: plan\(\) returned a promise\. /);
  });
});
