/** What becomes of a restore that was interrupted, by what the primary says of itself: in each of Redis's three steps. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { saysInOrder } from '../../../test/support/says-in-order.ts';
import { aView, threeSentinels } from '../../../test/support/views.ts';
import { RedisRefused, RedisUnreachable } from '../../redis/errors.ts';
import type { Info } from '../../redis/info.ts';
import { ReplyError } from '../../resp/read.ts';
import type { ChangeContext } from '../change/change-context.ts';
import type { StatePaths } from '../state/paths.ts';
import { endInterruptedRestore, endRestore, type RestoredMember } from './restore-end.ts';
import { type RestoreMark, readMark, writeMark } from './restore-mark.ts';

const mark: RestoreMark = {
  backup: 'b1',
  primary: 'redis-1',
  from: { address: '10.0.0.9', port: 7777, replicationId: 'r'.repeat(40) },
  keys: 900,
  keysBefore: 100,
  historyBefore: 'o'.repeat(40),
  stage: 'pointed',
  startedAt: '2026-01-01T00:00:00Z',
};
const follows = {
  role: 'slave',
  master_host: '10.0.0.9',
  master_port: '7777',
  master_replid: 'o'.repeat(40),
};
const withAof = { ...follows, aof_enabled: '1', db0: 'keys=100,expires=0' };
const hasLoaded = { ...follows, master_replid: mark.from.replicationId };

/** A member that says one after the other of itself; an error is thrown. The last is said for ever. */
function member(...says: (Info | Error)[]): RestoredMember & { did: string[]; die(): void } {
  const did: string[] = [];
  const process = { running: true };
  const client = {
    info: saysInOrder(says),
    getConfig: async () => ({ appendonly: 'yes' }),
    replicaOf: async (primary: { port: number } | null) => {
      did.push(primary === null ? 'made primary' : `pointed at ${primary.port}`);
    },
    connection: {
      call: async (command: string, ...args: unknown[]) => {
        did.push([command, ...args].join(' '));
        process.running = false;
        throw RedisUnreachable('the connection closed');
      },
    },
  };
  const die = () => {
    process.running = false;
  };
  return { unit: { process }, watch: { client }, did, die };
}

test('before all of the data has come it goes on with its own', async () => {
  const one = member(withAof);
  expect(await endRestore(one, mark)).toBe('old');
  expect(one.did).toEqual(['made primary']);
});

test('when it has dropped its own and not loaded the other, it is shut down: its old data is in its AOF', async () => {
  const one = member({ ...withAof, aof_enabled: '0', db0: '' });
  expect(await endRestore(one, mark)).toBe('gone');
  expect(one.did).toEqual(['SHUTDOWN NOSAVE']);
});

test('without keys before there is nothing to lose: it goes on, empty', async () => {
  const one = member({ ...withAof, aof_enabled: '0', db0: '' });
  expect(await endRestore(one, { ...mark, keysBefore: 0 })).toBe('old');
  expect(one.did).toEqual(['made primary']);
});

test('while it loads it is waited for, also when it refuses to say anything', async () => {
  const loads = RedisRefused('it loads', { cause: new ReplyError('LOADING it loads') });
  const one = member({ ...follows, loading: '1' }, loads, RedisUnreachable('no answer'), hasLoaded);
  expect(await endRestore(one, mark)).toBe('new');
  expect(one.did).toEqual(['made primary']);
});

test('one that is primary already is left alone, with the data that it has', async () => {
  const before = member({ role: 'master', master_replid: 'o'.repeat(40) });
  expect(await endRestore(before, mark)).toBe('old');
  const after = member({ role: 'master', master_replid: 'n', master_replid2: mark.from.replicationId });
  expect(await endRestore(after, mark)).toBe('new');
  expect([...before.did, ...after.did]).toEqual([]);
});

test('one that was started again is not said to have what nobody knows', async () => {
  const again = { role: 'master', master_replid: 'x'.repeat(40), master_replid2: '0'.repeat(40) };
  expect(await endRestore(member(again), mark)).toBe('unknown');
  expect(await endRestore(member(again), { ...mark, stage: 'written' })).toBe('new');
  expect(await endRestore(member(again), { ...mark, stage: 'begun', historyBefore: null })).toBe('old');
  // Of an older version.
  expect(await endRestore(member(again), { ...mark, historyBefore: null })).toBe('unknown');
});

test('one that follows another server, or does not run, is nobody’s to decide about', async () => {
  const astray = member({ ...follows, master_port: '6379' });
  expect(await endRestore(astray, mark)).toBe('gone');
  const dead = member(RedisUnreachable('refused'));
  dead.die();
  expect(await endRestore(dead, mark)).toBe('gone');
  expect([...astray.did, ...dead.did]).toEqual([]);
});

test('the wait ends with the agent, which leaves the rest to the next one', async () => {
  const one = member({ ...follows, loading: '1' });
  const signal = AbortSignal.abort(new Error('the agent stops'));
  await expect(endRestore(one, mark, signal)).rejects.toThrow('the agent stops');
  expect(one.did).toEqual([]);
});

describe('an agent that starts', () => {
  const loads = { ...follows, loading: '1' };

  /**
   * Ends what the one before it left.
   * @param named whom the Sentinels name; `said` is how often the member has said something of itself
   * @returns what was done to the member, and what is told
   */
  async function endLeft(
    one: ReturnType<typeof member>,
    named: (said: number) => string | null,
  ): Promise<{ did: string[]; told: string[] }> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'holdfast-restore-end-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const paths = { restore: path.join(folder, 'restore.json') } as StatePaths;
    await writeMark(paths, mark);
    let said = 0;
    const info = () => {
      said += 1;
      return one.watch.client.info();
    };
    const client = { ...one.watch.client, info, unpauseWrites: async () => {} };
    const told: string[] = [];
    const deployment = {
      spec: { sentinel: { detectAfterMs: 3000 } },
      setting: { paths },
      events: { add: (...event: string[]) => told.push(event.join(' ')) },
      members: [{ ...one, place: { id: 'redis-1' }, watch: { client } }],
      sentinels: [],
      view: () => aView({ sentinels: threeSentinels({ primary: named(said) }) }),
    };
    const observer = { lookAtAll: async () => {}, lookWithin: async () => {} };
    const operation = { signal: new AbortController().signal };
    const context = { deployment, observer, operation, report: () => {} } as unknown as ChangeContext;
    await endInterruptedRestore(context);
    expect(await readMark(paths)).toBeUndefined();
    return { did: one.did, told };
  }

  test('makes the member primary again that has loaded all of it, though no majority says anything for a while', async () => {
    const { did, told } = await endLeft(member(loads, loads, hasLoaded), (said) =>
      said === 2 ? null : 'redis-1',
    );
    expect(did).toEqual(['made primary']);
    expect(told).toEqual([expect.stringMatching(/^restore-interrupted .*redis-1 has the restored data$/)]);
  });

  test.each([
    ['while it loads', loads],
    ['just when it has loaded', hasLoaded],
    ['when it has dropped its own data', { ...withAof, aof_enabled: '0', db0: '' }],
    ['when it is primary already', { ...hasLoaded, role: 'master' }],
  ])('does nothing to one that was replaced meanwhile, %s', async (_, then) => {
    const { did, told } = await endLeft(member(loads, then), (said) => (said > 1 ? 'redis-2' : 'redis-1'));
    expect(did).toEqual([]);
    expect(told).toEqual([expect.stringMatching(/^restore-interrupted .*redis-1 is primary no more/)]);
  });

  test('does not say that it is primary when another was named as it became one', async () => {
    const one = member(hasLoaded);
    const { did, told } = await endLeft(one, () => (one.did.length > 0 ? 'redis-2' : 'redis-1'));
    expect(did).toEqual(['made primary']);
    expect(told).toEqual([expect.stringMatching(/^restore-interrupted .*redis-1 is primary no more/)]);
  });
});
