/** A restore from its beginning to its end, with a primary that takes the data at once. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { aPrimary, aView, threeSentinels } from '../../../test/support/views.ts';
import { RedisUnreachable } from '../../redis/errors.ts';
import type { Info } from '../../redis/info.ts';
import { OperationAborted, RestoreRefused } from '../errors.ts';
import { asRestoreFailed, type RestoreContext, restoreWhole } from './run-restore.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'holdfast-restore-'));
const root = path.join(folder, 'state');
const from = { address: '10.0.0.9', port: 7777, replicationId: 'r'.repeat(40) };
const request = { backup: 'b1', from, bytes: 1000, keys: 900, replace: false, safetyBackup: true };
beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @param hasData is called when the primary has the data and is primary again */
function begin(hasData: () => void): RestoreContext & { warnings: string[] } {
  const aof = { aof_enabled: '1', aof_last_bgrewrite_status: 'ok', aof_last_write_status: 'ok' };
  let info: Info = { role: 'master', master_replid: 'o'.repeat(40) };
  const client = {
    info: async () => info,
    role: async () => ({ role: 'primary', offset: 0, replicas: [] }),
    getConfig: async () => ({ databases: '16', appendonly: 'yes' }),
    pauseWrites: async () => {},
    unpauseWrites: async () => {},
    replicaOf: async (source: typeof from | null) => {
      const data = { ...aof, db0: 'keys=900,expires=0', master_replid: from.replicationId };
      const of = { role: 'slave', master_host: from.address, master_port: `${from.port}` };
      info = source === null ? { ...data, role: 'master' } : { ...data, ...of };
      if (source === null) hasData();
    },
    connection: { call: async (command: string) => (command === 'INFO' ? '' : []) },
  };
  const watch = { client, look: async () => {}, seen: { role: 'primary', histories: [from.replicationId] } };
  const member = { place: { id: 'redis-1' }, unit: null, watch };
  const deployment = {
    spec: { mirror: null, redis: { minReplicasToWrite: 0 }, sentinel: { detectAfterMs: 3000 } },
    setting: { paths: { restore: path.join(root, 'restore.json') }, clock: { wallMs: () => 0 } },
    view: () => aView({ members: [aPrimary('redis-1')], sentinels: threeSentinels() }),
    member: () => member,
    ...{ members: [member], sentinels: [], gates: [] },
  };
  const warnings: string[] = [];
  return {
    deployment,
    observer: { lookAtAll: async () => {}, lookWithin: async () => {} },
    operation: { signal: new AbortController().signal },
    report: () => {},
    warn: (text: string) => warnings.push(text),
    warnings,
  } as unknown as RestoreContext & { warnings: string[] };
}

const all = { primary: 'redis-1', keysBefore: 0, keysAfter: 900, copies: [], behind: [] };

test('a restore that goes well warns of nothing', async () => {
  const context = begin(() => {});
  expect(await restoreWhole(context, request)).toMatchObject(all);
  expect(context.warnings).toEqual([]);
});

test('when all data is there, a state directory that can’t be written to makes no failure of it', async () => {
  const context = begin(() => {
    rmSync(root, { recursive: true });
    symlinkSync(path.join(folder, 'nowhere'), root);
  });
  expect(await restoreWhole(context, request)).toMatchObject(all);
  expect(context.warnings).toEqual([
    expect.stringMatching(/^that the data is on disk could not be written down: EEXIST/),
  ]);
});

/** The primary's process ends at this question of the restore. */
function dyingAt(question: 'info' | 'pauseWrites' | 'replicaOf' | 'getConfig', nth: number) {
  const context = begin(() => {});
  const member = context.deployment.members[0] as unknown as {
    unit: unknown;
    watch: { client: Record<string, (...args: unknown[]) => Promise<unknown>> };
  };
  const { client } = member.watch;
  const asked = client[question] as (...args: unknown[]) => Promise<unknown>;
  let count = 0;
  client[question] = async (...args) => {
    count += 1;
    if (count < nth) return asked(...args);
    member.unit = { process: { running: false } };
    for (const name of Object.keys(client)) {
      if (name === 'connection') continue;
      client[name] = () => Promise.reject(RedisUnreachable('/sock: INFO: read ECONNRESET'));
    }
    return client[question]?.(...args);
  };
  return context;
}

test.each([
  [
    'it is asked what it holds',
    dyingAt('info', 1),
    /^nothing was restored: .*ECONNRESET.*has the data of before$/,
  ],
  ['writes are to be held', dyingAt('pauseWrites', 1), /^nothing was restored: .*has the data of before$/],
  ['it is asked again', dyingAt('info', 3), /^nothing was restored: .*has the data of before$/],
  [
    'it is pointed at the data',
    dyingAt('replicaOf', 1),
    /^b1 was not restored: .*redis-1 is not primary any more/,
  ],
  [
    'it is to be primary again',
    dyingAt('replicaOf', 2),
    /^the restore of b1 did not come to its end: .*All of the data had come/,
  ],
  [
    'its files are asked for',
    dyingAt('getConfig', 3),
    /^the restore of b1 did not come to its end: .*All of the data had come/,
  ],
])(
  'a primary that dies when %s: a failed restore, with the data that there is',
  async (_when, context, said) => {
    await expect(restoreWhole(context, request)).rejects.toMatchObject({
      code: 'RESTORE_FAILED',
      message: expect.stringMatching(said),
      hint: expect.stringContaining('The restore can be run again'),
    });
  },
);

test('what is refused, and what was given up in order, stays what it is', () => {
  for (const error of [RestoreRefused('it holds keys'), OperationAborted('it was interrupted')])
    expect(asRestoreFailed(error, null)).toBe(error);
});
