import { expect, test } from 'vitest';
import { hopeless, waitFor } from './retry.ts';

const soon = { what: 'it', withinMs: 60_000, everyMs: 1 };

test('what an attempt throws means "not yet"', async () => {
  let tries = 0;
  const attempt = () => {
    tries++;
    if (tries < 3) throw new Error('not yet');
    return tries;
  };
  expect(await waitFor(attempt, soon)).toBe(3);
});

test('an attempt that knows it is hopeless ends the wait, with its own error', async () => {
  const cause = Object.assign(new Error('it could not save'), { code: 'NOT_SAVED' });
  let tries = 0;
  const attempt = async () => {
    tries++;
    throw hopeless(cause);
  };
  await expect(waitFor(attempt, soon)).rejects.toBe(cause);
  expect(tries).toBe(1);
});

test('after its time it gives up, and says what it waited for and what it heard last', async () => {
  const attempt = () => {
    throw new Error('nobody there');
  };
  await expect(waitFor(attempt, { ...soon, withinMs: 5 })).rejects.toMatchObject({
    code: 'DEADLINE_PASSED',
    message: 'gave up after 5 ms waiting for it: nobody there',
  });
});

test('an aborted signal ends it with its reason', async () => {
  const aborter = new AbortController();
  const reason = new Error('the agent stops');
  const waiting = waitFor(() => false, { ...soon, everyMs: 60_000, signal: aborter.signal });
  aborter.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

test('it ends it also while an attempt is under way that never ends', async () => {
  const aborter = new AbortController();
  const reason = new Error('the agent stops');
  const waiting = waitFor(() => new Promise<boolean>(() => {}), { ...soon, signal: aborter.signal });
  aborter.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

test('an attempt that fails after it was aborted is nobody’s error', async () => {
  const aborter = new AbortController();
  let fail = (_error: Error) => {};
  const attempt = () =>
    new Promise<boolean>((_resolve, reject) => {
      fail = reject;
    });
  const waiting = waitFor(attempt, { ...soon, signal: aborter.signal });
  aborter.abort(new Error('the agent stops'));
  await expect(waiting).rejects.toThrow('the agent stops');
  fail(new Error('too late'));
  await new Promise(setImmediate);
});
