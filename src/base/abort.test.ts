import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { onAbort } from './abort.ts';
import { pause, unlessAborted } from './retry.ts';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

test('it is called once, at the abort', () => {
  const aborter = new AbortController();
  let calls = 0;
  onAbort(aborter.signal, () => calls++);
  expect(calls).toBe(0);
  aborter.abort();
  aborter.abort();
  expect(calls).toBe(1);
});

test('of a signal that is aborted already it is called at once', () => {
  let calls = 0;
  const stop = onAbort(AbortSignal.abort(), () => calls++);
  stop();
  expect(calls).toBe(1);
});

test('who stops listening hears nothing, and leaves nothing behind', () => {
  const aborter = new AbortController();
  let calls = 0;
  onAbort(aborter.signal, () => calls++)();
  expect(listeners(aborter.signal)).toBe(0);
  aborter.abort();
  expect(calls).toBe(0);
  onAbort(undefined, () => calls++)();
});

/** What Node warned of while this went on. */
async function warningsOf(work: () => Promise<unknown>): Promise<string[]> {
  const found: string[] = [];
  const note = ({ message }: Error) => found.push(message);
  process.on('warning', note);
  await work();
  // They are told a tick later.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  return found;
}

test.each<[string, (signal: AbortSignal) => unknown]>([
  ['listen', (signal) => onAbort(signal, () => {})],
  ['pause', (signal) => pause(60_000, signal).catch(() => {})],
  ['wait', (signal) => unlessAborted(new Promise(() => {}), signal).catch(() => {})],
])(
  'many may %s at one signal: each stream of a migration does, and each host of an apply',
  async (_, begin) => {
    const aborter = new AbortController();
    const warnings = await warningsOf(async () => {
      const begun = Array.from({ length: 30 }, () => begin(aborter.signal));
      aborter.abort();
      await Promise.all(begun);
    });
    expect(warnings).toEqual([]);
    expect(listeners(aborter.signal)).toBe(0);
  },
);
