/** What a migration needs may be gone for good, or its disk full: there is a way out, which the error names, and nothing is lost. */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { GateControl } from '../../src/gate/control/control-client.ts';
import { type CliProcess, startCli } from '../support/cli-process.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import {
  cleanUp,
  client,
  freePort,
  kill9,
  type Server,
  startRedis,
  tempFolder,
} from '../support/redis-processes.ts';
import { isWhole } from '../support/whole-run.ts';

const gates: CliProcess[] = [];
const mounted: string[] = [];
afterEach(async () => {
  await MigrationProcess.killAll();
  for (const { child } of gates.splice(0)) child.kill('SIGKILL');
  for (const folder of mounted.splice(0)) spawnSync('umount', ['-l', folder]);
});
afterAll(cleanUp);

const notNow = { status: 1, said: { error: { code: 'CUT_OVER_NOT_NOW' } } };

async function followed(
  from: Server,
  to: Server,
  state = path.join(tempFolder(), 'state'),
): Promise<MigrationProcess> {
  const sides = [`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`];
  const migration = MigrationProcess.begin(state, sides);
  await migration.untilFollowing();
  return migration;
}

/** A file system of its own, which can be filled. Undefined where only root may have one. */
function smallDisk(): string | undefined {
  const folder = tempFolder();
  const made = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', folder], { stdio: 'ignore' });
  if (made.status !== 0) return undefined;
  mounted.push(folder);
  return folder;
}

function fill(disk: string): void {
  expect(() => writeFileSync(path.join(disk, 'full'), Buffer.alloc(2 ** 20))).toThrow(/ENOSPC/);
}

const empty = (disk: string) => rmSync(path.join(disk, 'full'));

test('on a full disk nothing is changed over, back or forth; it runs on, and can be given up', async ({
  skip,
}) => {
  const disk = smallDisk();
  if (disk === undefined) return skip('no file system can be mounted here');
  const [from, to] = [await startRedis(), await startRedis()];
  const [source, target] = [client(from.port, { commandTimeout: 5000 }), client(to.port)];
  const migration = await followed(from, to, path.join(disk, 'state'));
  fill(disk);
  expect(await migration.ask('cutover')).toMatchObject({
    ...notNow,
    said: {
      error: { message: expect.stringContaining('ENOSPC'), hint: expect.stringContaining('Make room') },
    },
  });
  expect(await source.set('at the old side', 'v')).toBe('OK');
  const isThere = async () => (await target.get('at the old side')) === 'v';
  await waitFor(isThere, { what: 'it to be followed still', withinMs: 30_000 });
  // How it goes is noted once a second.
  const isSaid = () => migration.said().includes('migrate status does not know it');
  await waitFor(isSaid, { what: 'it to say that nothing can be noted', withinMs: 30_000 });
  empty(disk);
  expect(await migration.ask('cutover')).toMatchObject({ status: 0, said: { notFollowed: null } });
  fill(disk);
  expect(await migration.ask('cutover', '--undo')).toMatchObject(notNow);
  await expect(source.set('refused', 'v')).rejects.toThrow(/NOPERM/);
  await target.set('at the new side', 'v');
  // Taken up on a full disk, and given up there.
  await migration.kill();
  migration.resume();
  const runs = async () => (await migration.ask('status')).said['running'] === true;
  await waitFor(runs, { what: 'it to be taken up', withinMs: 60_000 });
  expect(await migration.ask('abort')).toMatchObject({ status: 0, said: { missing: null, left: null } });
  expect(await migration.ended).toBe(0);
  expect(await source.set('taken', 'again')).toBe('OK');
  expect(await source.get('at the new side')).toBe('v');
}, 120_000);

test('behind a cut-over whose gate is gone for good it goes on without it', async () => {
  const [from, to, folder] = [await startRedis(), await startRedis(), tempFolder()];
  const [socket, port] = [path.join(folder, 'gate.sock'), await freePort()];
  const between = ['--upstream', `127.0.0.1:${to.port}`, '--predecessor', `127.0.0.1:${from.port}`];
  const gate = startCli(['gate', '--listen', `127.0.0.1:${port}`, ...between, '--control', socket]);
  gates.push(gate);
  const control = new GateControl(socket);
  const isOpen = async () => (await control.status().catch(() => null))?.state === 'open';
  await waitFor(isOpen, { what: 'the gate', withinMs: 30_000 });
  const migration = await followed(from, to);
  expect(await migration.ask('cutover', '--gate', socket)).toMatchObject({ status: 0 });
  expect(await migration.ask('resume', '--without-gate', socket)).toMatchObject(notNow);
  await migration.kill();
  gate.child.kill('SIGKILL');
  await gate.ended;
  migration.resume();
  const waits = async () => (await migration.ask('status')).said['running'] === true;
  await waitFor(waits, { what: 'it to be taken up', withinMs: 60_000 });
  const stuck = { error: { hint: expect.stringContaining('--without-gate') } };
  expect(await migration.ask('cutover', '--undo')).toMatchObject({ ...notNow, said: stuck });
  expect(await migration.ask('abort')).toMatchObject({ ...notNow, said: stuck });
  expect(await migration.ask('resume', '--without-gate', socket)).toMatchObject({ status: 0 });
  expect((await migration.ask('status')).said).toMatchObject({
    phase: 'cut-over',
    notMoved: [],
    notFollowed: null,
  });
  await client(to.port).set('at the new side', 'v');
  expect(await migration.ask('cutover', '--undo')).toMatchObject({ status: 0 });
  expect(await client(from.port).get('at the new side')).toBe('v');
}, 120_000);

test.skipIf(!isWhole)(
  'an old side that is lost behind the cut-over does not keep it from being finished',
  async () => {
    const [from, to] = [await startRedis(), await startRedis()];
    await client(from.port).set('key', 'v');
    const migration = await followed(from, to);
    expect(await migration.ask('cutover')).toMatchObject({ status: 0, said: { notFollowed: null } });
    await kill9(from.process);
    const finished = await migration.ask('finish');
    expect(finished).toMatchObject({ status: 3, said: { finished: true } });
    expect(String(finished.said['open'])).toMatch(/ECONNREFUSED.*closed-users\.json/s);
    expect(await migration.ended).toBe(0);
    expect(migration.hasPlan).toBe(false);
    expect(await client(to.port).keys('*')).toEqual(['key']);
  },
  120_000,
);

test.skipIf(!isWhole)(
  'a new side that is lost, and the process too: the old side goes on with what it has',
  async () => {
    const [from, to] = [await startRedis(), await startRedis()];
    const source = client(from.port);
    await source.set('key', 'v');
    const migration = await followed(from, to);
    expect(await migration.ask('cutover')).toMatchObject({ status: 0, said: { notFollowed: null } });
    await migration.kill();
    expect(await migration.ask('abort')).toMatchObject({
      status: 1,
      said: { error: { code: 'MIGRATION_NOT_RUNNING' } },
    });
    await kill9(to.process);
    expect(await migration.ask('resume')).toMatchObject({
      ...{ status: 1, said: { error: { hint: expect.stringContaining('migrate abort') } } },
    });
    expect(await migration.ask('abort')).toMatchObject({
      status: 3,
      said: { missing: expect.stringContaining('lost') },
    });
    expect(await source.set('key', 'again')).toBe('OK');
    expect(await source.keys('holdfast:*')).toEqual([]);
    expect(await source.call('ACL', 'USERS')).toEqual(['default']);
  },
  120_000,
);

test.skipIf(!isWhole)(
  'given up, it says what the target has of it',
  async () => {
    const [from, to] = [await startRedis(), await startRedis()];
    const [source, target] = [client(from.port), client(to.port)];
    await source.mset('one', '1', 'two', '2');
    const stays = async (migration: MigrationProcess) => (await migration.ask('abort')).said['stays'];
    expect(await stays(await followed(from, to))).toEqual({ copied: 'some', keys: 2 });
    await target.flushall();
    const killed = await followed(from, to);
    await killed.kill();
    // As a copy that broke removes what it has written.
    await target.del('one', 'two');
    expect(await stays(killed)).toEqual({ copied: 'nothing', keys: 0 });
    await target.set('theirs', 'v');
    const besides = await followed(from, to);
    expect(await stays(besides)).toEqual({ copied: 'some', keys: null });
    // Its keys are there already, so that it ends before it has written any.
    const refused = MigrationProcess.begin(path.join(tempFolder(), 'state'), [
      `redis://127.0.0.1:${from.port}`,
      ...['--to', `redis://127.0.0.1:${to.port}`],
    ]);
    expect(await refused.ended).toBe(1);
    expect(await stays(refused)).toEqual({ copied: 'nothing', keys: null });
    await target.del('one', 'two');
    const lost = await followed(from, to);
    await lost.kill();
    await kill9(to.process);
    expect(await stays(lost)).toEqual({ copied: 'unknown', keys: null });
  },
  120_000,
);
