/** When restored data counts as safe: what a primary says of its files, until they have it or can't. */
import { describe, expect, test } from 'vitest';
import { saysInOrder } from '../../../test/support/says-in-order.ts';
import { RedisUnreachable } from '../../redis/errors.ts';
import type { Info } from '../../redis/info.ts';
import { asPrimary, awaitPersistence, type Persisting } from './restore-checks.ts';
import { refuseToOverwrite } from './run-restore.ts';

const master = { role: 'master' };
const rewritten = {
  ...master,
  aof_enabled: '1',
  aof_last_bgrewrite_status: 'ok',
  aof_last_write_status: 'ok',
};
const rewrites = { ...rewritten, aof_enabled: '0', aof_rewrite_in_progress: '1' };

function member(
  config: Record<string, string>,
  ...says: (Info | Error)[]
): Persisting & { called: string[]; die(): void } {
  const called: string[] = [];
  const process = { running: true };
  const client = {
    info: saysInOrder(says),
    getConfig: async () => config,
    connection: {
      call: async (...args: unknown[]) => {
        called.push(args.join(' '));
        return 'OK';
      },
    },
  };
  const die = () => {
    process.running = false;
  };
  return { place: { id: 'redis-1' }, unit: { process }, watch: { client }, called, die };
}

const never = new AbortController().signal;
const lines: string[] = [];
const report = (line: string) => lines.push(line);

describe('with an AOF', () => {
  const aof = { appendonly: 'yes', save: '' };
  test('until its rewrite is over, though some answers are missing', async () => {
    const one = member(aof, rewrites, RedisUnreachable('no answer'), rewrites, rewritten);
    await awaitPersistence(one, report, never);
    expect(one.called).toEqual([]);
  });
  test('not when the rewrite failed: the disk may be full', async () => {
    const failed = { ...rewritten, aof_enabled: '0', aof_last_bgrewrite_status: 'err' };
    await expect(awaitPersistence(member(aof, rewrites, failed), report, never)).rejects.toMatchObject({
      code: 'RESTORE_FAILED',
      message: expect.stringContaining('append-only file'),
    });
  });
});

describe('with save points', () => {
  const rdb = { appendonly: 'no', save: '3600 1' };
  const before = { ...master, rdb_last_save_time: '10', rdb_last_bgsave_status: 'ok' };
  const saving = { ...before, rdb_bgsave_in_progress: '1' };
  test('it is saved, and waited for', async () => {
    const one = member(rdb, before, saving, { ...before, rdb_last_save_time: '11' });
    await awaitPersistence(one, report, never);
    expect(one.called).toEqual(['BGSAVE SCHEDULE']);
  });
  test('not when it can’t be saved', async () => {
    const failed = { ...before, rdb_last_bgsave_status: 'err' };
    await expect(awaitPersistence(member(rdb, before, saving, failed), report, never)).rejects.toMatchObject({
      code: 'RESTORE_FAILED',
      message: expect.stringContaining('RDB'),
    });
  });
});

test('without files there is nothing to wait for', async () => {
  const one = member({ appendonly: 'no', save: '' }, master);
  await awaitPersistence(one, report, never);
  expect(one.called).toEqual([]);
});

test.each([
  ['is primary no more', [master, { role: 'slave' }], 'was primary no more', false],
  ['is gone', [master, RedisUnreachable('refused')], 'was gone', true],
])('one that %s is not waited for', async (_how, says, words, dies) => {
  const one = member({}, ...(says as (Info | Error)[]));
  const test = async () => {
    if (dies) one.die();
    return false;
  };
  await expect(asPrimary(one, test)).rejects.toMatchObject({
    code: 'RESTORE_FAILED',
    message: expect.stringContaining(words as string),
  });
});

test('keys that are there are not overwritten unless that is meant', () => {
  const facts = { primary: 'redis-1', keys: 3 } as Parameters<typeof refuseToOverwrite>[0];
  expect(() => refuseToOverwrite(facts, { replace: false })).toThrow('redis-1 holds 3 keys');
  expect(refuseToOverwrite(facts, { replace: true })).toBe(facts);
  expect(refuseToOverwrite({ ...facts, keys: 0 }, { replace: false }).keys).toBe(0);
});
