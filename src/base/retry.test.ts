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
