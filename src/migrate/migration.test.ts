import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { errorCode } from '../base/errors.ts';
import { movedFileOf } from '../gate/config.ts';
import { targetOfVersionText } from '../rdb/target.ts';
import { KeyPositions } from '../stream/key-positions.ts';
import { askControl } from './control.ts';
import { Migration } from './migration.ts';
import { type MigrationPaths, migrationPaths, type Plan } from './plan.ts';
import { type Progress, readProgress, writeProgress } from './progress.ts';

/** What takes up a cut-over that another process made: whatever fails behind it, nothing goes from the old side to the new one again. */
let root: string;
let paths: MigrationPaths;
const servers: Server[] = [];
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'holdfast-migration-'));
  paths = migrationPaths(root);
});
afterEach(() => {
  for (const each of servers.splice(0)) each.close();
  rmSync(root, { recursive: true });
});

/** Nobody answers at either side. */
function migration(onProgress: () => void = () => {}, withoutGates: string[] = []): Migration {
  const access = { passwordFile: null, sentinelPasswordFile: null, ca: null };
  const source = {
    url: 'redis://127.0.0.1:1',
    ...access,
    dbs: [],
    prefix: '',
    match: [],
    types: [],
    owned: [],
  };
  const plan: Plan = {
    ...{ version: 1, id: 'abcdefgh', createdMs: 0, method: 'replication', sources: [source] },
    ...{ target: { url: 'redis://127.0.0.1:1', passwordFile: null, ca: null } },
    ...{ onConflict: 'fail', maxRate: 0, maxLag: null, isAlone: true },
  };
  const address = { kind: 'server', address: '127.0.0.1', port: 1 } as const;
  return new Migration({
    ...{ plan, paths, sources: [address], target: { endpoint: { host: '127.0.0.1', port: 1 } }, onProgress },
    ...{ targetAsSource: address, loads: targetOfVersionText('redis 7.2'), positions: new KeyPositions([]) },
    withoutGates,
  });
}

const run = () => migration().run(new AbortController().signal);

/** Until it has told once how it goes on. */
async function phaseWithout(...gates: string[]): Promise<string | undefined> {
  const stop = new AbortController();
  await migration(() => stop.abort(), gates).run(stop.signal);
  return (await readProgress(paths))?.phase;
}

async function cutOverBefore(gates: string[], isMoved = false): Promise<string> {
  const progress: Progress = {
    ...{ version: 1, phase: 'cut-over', pid: 1, writtenMs: 1, failure: null, gates, isMoved },
    ...{ change: null, sources: [] },
    ...{ notMoved: [], back: null, oldSide: null, notFollowed: 'an old server' },
  };
  await writeProgress(paths, progress);
  return written();
}

const written = () => readFileSync(paths.progress, 'utf8');

test('a cut-over whose gates do not answer is still one for whoever takes it up next', async () => {
  const before = await cutOverBefore([path.join(root, 'none.sock')]);
  for (let times = 0; times < 2; times++) {
    await expect(run()).rejects.toMatchObject({ code: 'CUT_OVER_NOT_NOW' });
    expect(written()).toBe(before);
  }
});

test('while that is not known nothing is written, and what is asked for is refused', async () => {
  const gate = path.join(root, 'gate.sock');
  // Longer than a second: as often as progress is written else.
  const silent = createServer((socket) => socket.on('error', () => {}));
  servers.push(silent);
  const isAsked = new Promise((resolve) => silent.once('connection', resolve));
  await new Promise<void>((resolve) => silent.listen(gate, resolve));
  const before = await cutOverBefore([gate]);
  const running = run().catch(errorCode);
  await isAsked;
  const asked = (['pause', 'abort'] as const).map((verb) =>
    askControl(paths.socket, { verb }).catch(errorCode),
  );
  expect(await running).toBe('CUT_OVER_NOT_NOW');
  expect(await Promise.all(asked)).toEqual(['MIGRATION_NOT_RUNNING', 'MIGRATION_NOT_RUNNING']);
  expect(written()).toBe(before);
});

test('what ends its process behind a cut-over leaves it cut over', async () => {
  await cutOverBefore([]);
  const failing = migration(() => {
    throw new Error('no room');
  });
  await expect(failing.run(new AbortController().signal)).rejects.toThrow('no room');
  expect(await readProgress(paths)).toMatchObject({ phase: 'cut-over', failure: { message: 'no room' } });
});

test('a second cut-over, or a pause, says what comes behind the first', async () => {
  await cutOverBefore([]);
  const stop = new AbortController();
  let running: Promise<unknown> | undefined;
  const isTakenUp = new Promise<void>((resolve) => {
    running = migration(resolve).run(stop.signal);
  });
  await isTakenUp;
  await expect(askControl(paths.socket, { verb: 'cut-over' })).rejects.toMatchObject({
    ...{ code: 'CUT_OVER_NOT_NOW', hint: expect.stringMatching(/migrate finish .*cutover --undo/) },
  });
  await expect(askControl(paths.socket, { verb: 'pause' })).rejects.toMatchObject({
    ...{ code: 'MIGRATE_REFUSED', hint: expect.stringMatching(/migrate finish .*cutover --undo/) },
  });
  stop.abort();
  expect(await running).toBe('stopped');
});

test('of a gate that is gone for good its note says whether there was a cut-over', async () => {
  const gate = path.join(root, 'none.sock');
  await cutOverBefore([gate]);
  await expect(run()).rejects.toMatchObject({ hint: expect.stringContaining('--without-gate') });
  expect(await phaseWithout(gate)).toBe('stopped');
  await cutOverBefore([gate]);
  writeFileSync(movedFileOf(gate), 'the old server\n');
  expect(await phaseWithout(gate)).toBe('cut-over');
  expect(await readProgress(paths)).toMatchObject({ gates: [] });
});

test('gates are not asked where the clients are when one is known to have moved them', async () => {
  const gate = path.join(root, 'none.sock');
  await cutOverBefore([gate], true);
  expect(await phaseWithout()).toBe('cut-over');
  expect(await readProgress(paths)).toMatchObject({
    gates: [gate],
    notMoved: [expect.stringContaining(gate)],
  });
});
