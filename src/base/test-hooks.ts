/**
 * For tests only: breaks holdfast on purpose, to prove that the drills notice. A hook works only while the environment
 * variable HOLDFAST_TEST_HOOKS names it (several with commas between them), and whoever obeys one says so. Nothing else
 * in the source reads that variable.
 */
import { defineError } from './errors.ts';

export const testHooks = {
  'no-holding': 'the gate holds no client: what must wait fails at once',
  'no-empty-primary-guard': 'a primary whose files are gone is started again as if it had them',
  'detect-after-1s': 'the Sentinels run with down-after-milliseconds 1000, which the spec refuses',
} as const;

export type TestHook = keyof typeof testHooks;

const UnknownTestHook = defineError('UNKNOWN_TEST_HOOK', 2);

/** Whether this hook is on. @throws UNKNOWN_TEST_HOOK when the variable names one that does not exist */
export function testHook(hook: TestHook, env = process.env): boolean {
  return namedHooks(env).includes(hook);
}

/** A sentence for each hook that is on. @throws UNKNOWN_TEST_HOOK */
export function activeTestHooks(env = process.env): string[] {
  return namedHooks(env).map((hook) => `test hook ${hook}: ${testHooks[hook]}`);
}

function namedHooks(env: NodeJS.ProcessEnv): TestHook[] {
  const names = (env['HOLDFAST_TEST_HOOKS'] ?? '').split(',').map((name) => name.trim());
  return names.filter((name) => name !== '').map(known);
}

function known(name: string): TestHook {
  if (Object.hasOwn(testHooks, name)) return name as TestHook;
  throw UnknownTestHook(`HOLDFAST_TEST_HOOKS: there is no test hook '${name}'`, {
    hint: `There are ${Object.keys(testHooks).join(', ')}. They break holdfast on purpose: unset the variable.`,
  });
}
