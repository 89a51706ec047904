import { expect, test } from 'vitest';
import { waitFor } from '../../base/retry.ts';
import { RedisRefused, RedisUnreachable } from '../../redis/errors.ts';
import { askAgain } from './ask-again.ts';

const { signal } = new AbortController();

test('one that died is asked until it answers', async () => {
  let asked = 0;
  const ask = async () => {
    asked += 1;
    if (asked < 3) throw RedisUnreachable('no answer');
    return ['done'];
  };
  expect(await askAgain(ask, { withinMs: 10_000, signal })).toEqual(['done']);
});

test('one that never answers keeps nobody for longer than that', async () => {
  const ask = () => Promise.reject(RedisUnreachable('no answer'));
  expect(await askAgain(ask, { withinMs: 50, signal })).toBeNull();
});

test('what it answers is not asked for again, and whoever gives up waits no longer', async () => {
  let asked = 0;
  const refuse = () => {
    asked += 1;
    return Promise.reject(RedisRefused('ERR no'));
  };
  await expect(askAgain(refuse, { withinMs: 10_000, signal })).rejects.toThrow('ERR no');
  expect(asked).toBe(1);
  const giving = new AbortController();
  const silent = () => {
    giving.abort(new Error('given up'));
    return Promise.reject(RedisUnreachable('no answer'));
  };
  await expect(askAgain(silent, { withinMs: 10_000, signal: giving.signal })).rejects.toThrow('given up');
});

test('what it waits for itself in vain is told, and is not taken for no answer', async () => {
  const ask = () => waitFor((): object | false => false, { what: 'its colleagues', withinMs: 1, everyMs: 1 });
  await expect(askAgain(ask, { withinMs: 10_000, signal })).rejects.toThrow('its colleagues');
});
