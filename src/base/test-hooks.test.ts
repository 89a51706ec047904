import { expect, test } from 'vitest';
import { activeTestHooks, testHook } from './test-hooks.ts';

test('no hook is on by itself', () => {
  expect(testHook('no-holding', {})).toBe(false);
  expect(activeTestHooks({ HOLDFAST_TEST_HOOKS: '' })).toEqual([]);
});

test('what the variable names is on, and says what it breaks', () => {
  const env = { HOLDFAST_TEST_HOOKS: 'no-holding, detect-after-1s' };
  expect(testHook('no-holding', env)).toBe(true);
  expect(testHook('detect-after-1s', env)).toBe(true);
  expect(testHook('no-empty-primary-guard', env)).toBe(false);
  expect(activeTestHooks(env)[0]).toContain('the gate holds no client');
});

test('a name that is none is refused, with those that are', () => {
  expect(() => testHook('no-holding', { HOLDFAST_TEST_HOOKS: 'all' })).toThrowError(/no test hook 'all'/);
});
