import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { GateControl } from '../../src/gate/control/control-client.ts';
import { type CliProcess, startCli } from '../support/cli-process.ts';
import { holdfast } from '../support/deployment.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { PlainSentinels } from '../support/plain-sentinels.ts';
import { cleanUp, client, freePort, startRedis, tempFolder } from '../support/redis-processes.ts';
import { isWhole } from '../support/whole-run.ts';
import { WriteLoad } from '../support/write-load.ts';

/** A gate that stands before the old server takes its clients along at the cut-over: they wait a moment, and see no error. */
const gates: CliProcess[] = [];
afterAll(async () => {
  for (const { child } of gates) child.kill('SIGKILL');
  await MigrationProcess.killAll();
  await cleanUp();
});

const password = 'topsecret';

async function startGate(args: string[], socket: string): Promise<CliProcess> {
  const gate = startCli(['gate', ...args, '--control', socket]);
  gates.push(gate);
  const control = new GateControl(socket);
  const isOpen = async () => (await control.status().catch(() => null))?.state === 'open';
  await waitFor(isOpen, { what: 'the gate to open', withinMs: 60_000 }).catch((error: Error) => {
    throw new Error(`${error.message}\n${gate.said()}`);
  });
  return gate;
}

async function predecessorOf(socket: string): Promise<string | null> {
  return (await new GateControl(socket).status()).predecessor;
}

test('writers under load go over, a blocked client too; back again, and over for good', async () => {
  const folder = tempFolder();
  const file = path.join(folder, 'password');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  const [from, to] = [
    await startRedis(['--requirepass', password]),
    await startRedis(['--requirepass', password]),
  ];
  const [socket, port] = [path.join(folder, 'gate.sock'), await freePort()];
  const args = [
    ...['--listen', `127.0.0.1:${port}`, '--upstream', `127.0.0.1:${to.port}`, '--password-file', file],
    ...['--predecessor', `127.0.0.1:${from.port}`, '--predecessor-password-file', file],
  ];
  let gate = await startGate(args, socket);
  const [source, target] = [client(from.port, { password }), client(to.port, { password })];
  await source.call('DEBUG', 'POPULATE', 5000, 'key', 50);
  const through = () => client(port, { password });
  const load = new WriteLoad([through(), through(), through()]);
  const blocked = through().blpop('queue', 0);
  const migration = MigrationProcess.begin(path.join(folder, 'state'), [
    ...[`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`],
    ...['--source-password-file', file, '--target-password-file', file],
  ]);
  await migration.untilFollowing();
  expect(await predecessorOf(socket)).toBe('serves');
  expect(await target.exists('load:0')).toBe(1);
  // A gate that can't be reached: nothing is changed, and nobody is held.
  const refused = await migration.ask('cutover', '--gate', path.join(folder, 'none.sock'));
  expect(refused).toMatchObject({ status: 1 });
  const over = await migration.ask('cutover', '--gate', socket);
  expect(over).toMatchObject({ status: 0, said: { heldMs: expect.any(Number), notMoved: [] } });
  expect(await predecessorOf(socket)).toBe('left');
  await moreOf(load, 200);
  await target.rpush('queue', 'at the new side');
  expect(await blocked).toEqual(['queue', 'at the new side']);
  const { errors, dropped } = await load.stop();
  expect({ errors: [...errors], dropped }).toEqual({ errors: [], dropped: 0 });
  expect(await load.lost(target)).toEqual([]);
  await inOrder(target, load);
  // A gate that is killed does not take its clients back.
  gate.child.kill('SIGKILL');
  await gate.ended;
  gate = await startGate(args, socket);
  expect(await predecessorOf(socket)).toBe('left');
  const redis = through();
  await redis.set('behind', 'the cut-over');
  expect(await target.exists('behind')).toBe(1);
  // Taken back: what was written meanwhile is at the old side, where writes go on, and are followed again.
  const counting = countThrough(through());
  await waitFor(() => counting.acknowledged() > 100, { what: 'some writes', withinMs: 60_000 });
  expect(await migration.ask('cutover', '--undo')).toMatchObject({ status: 0 });
  const until = counting.acknowledged() + 100;
  await waitFor(() => counting.acknowledged() > until, { what: 'more writes', withinMs: 60_000 });
  const counted = await counting.stop();
  expect(await source.get('counted')).toBe(String(counted));
  expect(await source.get('behind')).toBe('the cut-over');
  expect(await load.lost(source)).toEqual([]);
  await inOrder(source, load);
  await redis.set('taken', 'back');
  expect(await source.get('taken')).toBe('back');
  await migration.untilFollowing();
  await waitFor(async () => (await target.get('taken')) === 'back', {
    what: 'it to be followed',
    withinMs: 60_000,
  });
  expect(await migration.ask('cutover', '--gate', socket)).toMatchObject({ status: 0 });
  expect(await migration.ask('finish')).toMatchObject({ status: 0 });
  expect(await redis.set('finished', 'v')).toBe('OK');
  expect([await target.get('finished'), await source.get('finished')]).toEqual(['v', null]);
});

test.runIf(isWhole)(
  'to what Sentinels watch, which had changed the primary meanwhile; with two workers',
  async () => {
    const plain = await PlainSentinels.start();
    const from = await startRedis();
    const folder = tempFolder();
    const [socket, port] = [path.join(folder, 'gate.sock'), await freePort()];
    await startGate(
      [
        ...['--listen', `127.0.0.1:${port}`, '--sentinel', plain.addresses, '--name', plain.name],
        ...[
          '--predecessor',
          `127.0.0.1:${from.port}`,
          '--workers',
          '2',
          '--hold',
          '30s',
          '--durability',
          'replicated',
        ],
      ],
      socket,
    );
    const load = new WriteLoad([client(port), client(port)]);
    // The new side may change its primary meanwhile: clients see nothing of it.
    await plain.switchOver();
    await moreOf(load, 100);
    const primary = await plain.primary();
    // A replica that copies its new primary has nothing, and Sentinels may promote it all the same.
    await waitFor(
      async () => (await client(primary).info('replication')).split('state=online').length === 3,
      {
        what: 'both replicas to be linked',
        withinMs: 60_000,
      },
    );
    const migration = MigrationProcess.begin(path.join(folder, 'state'), [
      `redis://127.0.0.1:${from.port}`,
      '--to',
      `redis://127.0.0.1:${primary}`,
    ]);
    await migration.untilFollowing();
    const over = await migration.ask('cutover', '--gate', socket);
    expect(over).toMatchObject({ status: 0, said: { notMoved: [] } });
    expect(await migration.ask('finish')).toMatchObject({ status: 0 });
    await moreOf(load, 100);
    const { errors, dropped } = await load.stop();
    expect({ errors: [...errors], dropped }).toEqual({ errors: [], dropped: 0 });
    expect(await load.lost(client(primary))).toEqual([]);
    // From here on the Sentinels say who is primary.
    const status = await new GateControl(socket).status();
    expect(status).toMatchObject({ primary: { port: primary }, sentinelsSeen: 3, predecessor: 'left' });
  },
);

test('a gate without a predecessor, or without a socket to be told on, is no such gate', async () => {
  const [to, folder] = [await startRedis(), tempFolder()];
  const upstream = ['--upstream', `127.0.0.1:${to.port}`];
  const told = await holdfast(['gate', ...upstream, '--predecessor', '127.0.0.1:1']);
  expect(told).toMatchObject({ status: 2, stderr: expect.stringContaining('--control') });
  const readOnly = ['--replica-listen', '127.0.0.1:0', '--predecessor', '127.0.0.1:1'];
  const both = await holdfast(['gate', ...upstream, ...readOnly, '--control', path.join(folder, 'a.sock')]);
  expect(both).toMatchObject({ status: 2, stderr: expect.stringContaining('read-only port') });
});

async function moreOf(load: WriteLoad, writes: number): Promise<void> {
  const until = load.report.acknowledged + writes;
  await waitFor(() => load.report.acknowledged >= until, { what: 'more writes', withinMs: 60_000 });
}

/** `counted` up, until it is told to stop; every write must succeed. */
function countThrough(redis: Redis): { acknowledged(): number; stop(): Promise<number> } {
  let acknowledged = 0;
  let stopped = false;
  const loop = (async () => {
    for (; !stopped; acknowledged++) await redis.incr('counted');
  })();
  loop.catch(() => {});
  const stop = async () => {
    stopped = true;
    await loop;
    return acknowledged;
  };
  return { acknowledged: () => acknowledged, stop };
}

/** Each value once, in the order in which it was written. */
async function inOrder(redis: Redis, load: WriteLoad): Promise<void> {
  for (const [index, highest] of load.report.highest.entries()) {
    const values = await redis.lrange(`load:${index}`, 0, -1);
    expect(values).toEqual(Array.from({ length: highest + 1 }, (_, value) => String(value)));
  }
}
