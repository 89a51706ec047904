/** A restore from its beginning to its end, with a primary that takes the data at once. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { aPrimary, aView, threeSentinels } from '../../../test/support/views.ts';
import type { Info } from '../../redis/info.ts';
import { type RestoreContext, restoreWhole } from './run-restore.ts';

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
