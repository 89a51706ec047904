import { mkdtempSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { migrationsSchema, mirrorsSchema } from '../../api/moves.ts';
import { waitFor } from '../../base/retry.ts';
import { noteMigration } from '../../migrate/known.ts';
import { migrationPaths, type Plan, writePlan } from '../../migrate/plan.ts';
import { type Progress, writeProgress } from '../../migrate/progress.ts';
import { type MirrorStatus, mirrorTrouble } from '../mirrors/mirror-keeper.ts';
import type { RequestMirrorLine } from '../mirrors/request-mirror-lines.ts';
import type { Said } from '../picture/understood.ts';
import { Moves, migrationTrouble } from './moves.ts';

const folder = () => mkdtempSync(path.join(tmpdir(), 'hf-moves-'));

function mirror(change: Partial<MirrorStatus> = {}): MirrorStatus {
  return {
    ...{ name: 'paris', to: 'redis://paris:6379', host: 'a', state: 'following', keys: 5, bytes: 9 },
    ...{ totalBytes: 9, bytesPerSecond: 3, secondsLeft: null, lagBytes: 12, lagSeconds: 0.5, problem: null },
    ...{ queueBytes: 20, queueSeconds: 2, trouble: null },
    ...change,
  };
}

const plan: Plan = {
  ...{
    version: 1,
    method: 'replication',
    id: '9f31c2a0b114',
    createdMs: 1_780_000_000_000,
    onConflict: 'fail',
    maxRate: 0,
    maxLag: null,
  },
  ...{ isAlone: true, target: { spec: '/etc/holdfast/orders.yaml', user: null, stateDir: null } },
  sources: [
    {
      ...{ url: 'redis://old:6379', passwordFile: null, ca: null, sentinelPasswordFile: null },
      ...{ dbs: [], prefix: '', match: [], types: [], owned: [] },
    },
  ],
};

function progress(problem: string): Progress {
  return {
    ...{ version: 1, phase: 'running', pid: 7, writtenMs: 1_780_000_005_000, failure: null, gates: [] },
    ...{ change: null, isMoved: false, notMoved: [] },
    ...{ back: null, oldSide: null, notFollowed: null },
    sources: [
      {
        ...{ source: 'redis://old:6379', at: 'old:6379', phase: 'copying', keys: 10, bytes: 100 },
        ...{ totalBytes: 1000, bytesPerSecond: 50, secondsLeft: 18, commands: 0, appliedOffset: null },
        ...{ sourceOffset: 4, lagBytes: null, lagSeconds: null, problem },
      },
    ],
  };
}

interface Made {
  mirrors?: MirrorStatus[];
  requests?: RequestMirrorLine[];
  told?: [string, Said][];
  file?: string;
}

function moves({
  mirrors = [],
  requests = [],
  told = [],
  file = path.join(folder(), 'migrations.json'),
}: Made): Moves {
  let nowMs = 0;
  return new Moves({
    ...{ host: 'a', migrationsFile: file, mirrors: () => mirrors, requestMirrors: () => requests },
    ask: async () => new Map(told),
    nowMs: () => (nowMs += 5000),
  });
}

test('a migration that was begun is told with how far each source is, and one that left nothing is not', async () => {
  const root = folder();
  const file = path.join(root, 'migrations.json');
  const [own, over] = [migrationPaths(path.join(root, 'm')), migrationPaths(path.join(root, 'gone'))];
  await writePlan(own, plan);
  await noteMigration(file, over.root);
  await noteMigration(file, own.root);
  const all = moves({ file });
  expect((await all.migrations(true)).migrations).toMatchObject([
    { phase: 'begun', runs: false, sources: [] },
  ]);
  await writeProgress(own, progress('x'.repeat(5000)));
  const { migrations, missing } = await all.migrations(true);
  expect(missing).toEqual([]);
  expect(migrations).toMatchObject([
    { id: plan.id, host: 'a', folder: own.root, target: '/etc/holdfast/orders.yaml', runs: false },
  ]);
  // No process runs it: it reads nothing now. What others wrote is bounded.
  expect(migrations[0]?.sources).toMatchObject([{ phase: 'copying', keys: 10, bytesPerSecond: 0 }]);
  expect(migrations[0]?.sources[0]?.problem?.length).toBe(1000);
  expect(migrationsSchema.safeParse({ migrations, missing }).error?.issues).toBeUndefined();
  // What it counts is of the look before.
  await waitFor(() => all.counts().migrations === 1, {
    what: 'the migration to be counted',
    withinMs: 10_000,
  });
  const trouble = 'the migration from redis://old:6379 is run by no process: holdfast migrate resume goes on';
  expect(all.counts()).toEqual({ mirrors: 0, migrations: 1, unwell: 1, troubles: [trouble] });
  await writeProgress(own, { ...progress('x'), phase: 'stopped' });
  await waitFor(() => all.counts().troubles.length === 0, {
    what: 'one that was stopped to be no trouble',
    withinMs: 10_000,
  });
});

test('a migration is trouble when it failed or died, and not when somebody stopped it', () => {
  const sources = [{ source: 'redis://old:6379' }] as Parameters<typeof migrationTrouble>[0]['sources'];
  const of = (phase: 'running' | 'paused' | 'cut-over' | 'stopped' | 'failed' | 'begun', runs: boolean) =>
    migrationTrouble({ sources, phase, runs, failure: 'no room' } as Parameters<typeof migrationTrouble>[0]);
  expect(of('failed', false)).toBe('the migration from redis://old:6379 failed: no room');
  expect(of('running', false)).toContain('is run by no process');
  expect(of('cut-over', false)).toContain('holdfast migrate resume');
  for (const phase of ['running', 'paused', 'cut-over', 'begun'] as const) expect(of(phase, true)).toBeNull();
  for (const phase of ['paused', 'stopped', 'begun'] as const) expect(of(phase, false)).toBeNull();
});

test('what can not be read is named, and takes nothing else away', async () => {
  const root = folder();
  const file = path.join(root, 'migrations.json');
  const [own, broken] = [migrationPaths(path.join(root, 'm')), migrationPaths(path.join(root, 'b'))];
  for (const each of [own, broken]) {
    await writePlan(each, plan);
    await noteMigration(file, each.root);
  }
  await writeFile(broken.plan, '{"version": 1}');
  const { migrations, missing } = await moves({ file }).migrations(true);
  expect(migrations.map((each) => each.folder)).toEqual([own.root]);
  expect(missing).toEqual([{ host: 'a', why: expect.stringContaining(broken.plan) }]);
  await writeFile(file, 'no list');
  expect(await moves({ file }).migrations(true)).toMatchObject({ migrations: [], missing: [{ host: 'a' }] });
});

test('how a mirror is, the host that runs it says; whose answer is missing is named', async () => {
  const here = [mirror({ host: 'b', state: 'elsewhere', lagBytes: null, lagSeconds: null })];
  const theirs = (await moves({ mirrors: [mirror({ host: 'b' })] }).mirrors(true)).mirrors;
  const told = await moves({
    mirrors: here,
    told: [
      ['b', { answer: { mirrors: theirs, missing: [] } }],
      ['c', { missing: 'no agent listens there' }],
    ],
  }).mirrors(false);
  expect(told).toEqual({
    ...{ mirrors: [{ ...theirs[0], state: 'following', lagMs: 500 }], requests: [], missing: [] },
  });
  expect(mirrorsSchema.safeParse(told).success).toBe(true);
  const lost: Said[] = [{ missing: 'no agent listens there' }, { answer: { mirrors: 'none' } }];
  for (const said of lost) {
    const { mirrors, missing } = await moves({ mirrors: here, told: [['b', said]] }).mirrors(false);
    expect([mirrors[0]?.state, missing.map(({ host }) => host)]).toEqual(['unknown', ['b']]);
  }
});

test('mirrors of requests are told by each host that has a gate', async () => {
  const line = (change: Partial<RequestMirrorLine> = {}): RequestMirrorLine => ({
    ...{
      name: 'next',
      to: 'redis://next:6379',
      state: 'open',
      reason: null,
      copied: 5,
      dropped: 1,
      failed: 0,
    },
    ...{ errors: { ERR: 2 }, readP99Ms: 1, writeP99Ms: 2, own: { errors: {}, readP99Ms: 1, writeP99Ms: 1 } },
    ...change,
  });
  const theirs = await moves({ requests: [line({ state: 'waiting', reason: 'ECONNREFUSED' })] }).mirrors(
    true,
  );
  const b = { ...theirs, requests: theirs.requests.map((each) => ({ ...each, host: 'b' })) };
  const lost: Said = { missing: 'no agent listens there' };
  const made = moves({
    requests: [line({ state: null })],
    told: [
      ['b', { answer: b }],
      ['c', lost],
    ],
  });
  const all = await made.mirrors(false);
  expect(all.requests).toMatchObject([
    { host: 'a', name: 'next', state: 'unknown', copied: 5, problem: null },
    { host: 'b', name: 'next', state: 'waiting', problem: 'ECONNREFUSED' },
  ]);
  expect(all.missing.map(({ host }) => host)).toEqual(['c']);
  expect(mirrorsSchema.safeParse(all).success).toBe(true);
});

test('a mirror that failed has failed until it follows, and is none of the business of a host that does not run it', () => {
  const text = 'the mirror dr failed: no room';
  expect(mirrorTrouble('dr', 'failed', 'no room', 'no room')).toBe(text);
  expect(mirrorTrouble('dr', 'connecting', 'no room', 'no room')).toBe(text);
  expect(mirrorTrouble('dr', 'waiting', null, 'ECONNREFUSED')).toBe('the mirror dr waits: ECONNREFUSED');
  for (const state of ['following', 'copying', 'starting'] as const)
    expect(mirrorTrouble('dr', state, null, null)).toBeNull();
  for (const state of ['paused', 'elsewhere'] as const)
    expect(mirrorTrouble('dr', state, 'no room', 'no room')).toBeNull();
  const counted = moves({ mirrors: [mirror(), mirror({ state: 'failed', trouble: text })] }).counts();
  expect(counted).toEqual({ mirrors: 2, migrations: 0, unwell: 1, troubles: [text] });
});
