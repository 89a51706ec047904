/** Every command of "Step by step" in docs/migrating.md, in its order, as it stands there but for the addresses. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { waitFor } from '../../src/base/retry.ts';
import { freePorts } from '../../src/process/free-ports.ts';
import { type CliProcess, startCli } from '../support/cli-process.ts';
import { cleanUp, client, startRedis, startSentinel, tempFolder } from '../support/redis-processes.ts';

const folder = tempFolder();
const password = 'told-by-nobody';
const env = { XDG_STATE_HOME: path.join(folder, 's') };
const running: CliProcess[] = [];
let gatePort = 0;
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  if (gatePort > 0) await run('down holdfast.yaml');
  await cleanUp();
});

const steps = new Map(
  readFileSync('docs/migrating.md', 'utf8')
    .split('\n## Step by step')[1]!
    .split('\n## ')[0]!
    .split('\n### ')
    .slice(1)
    .map((part): [string, string[]] => {
      const commands = /^```sh\n(.*?)^```/ms.exec(part)?.[1]?.trim().split('\n') ?? [];
      return [part.split('\n')[0]!, commands];
    }),
);

/** Of `holdfast`, with what stands behind it. */
async function run(command: string): Promise<{ status: number; said: string }> {
  const process = startCli(command.split(' '), { cwd: folder, env });
  running.push(process);
  const status = await process.ended;
  return { status, said: process.printed() + process.said() };
}

/** One after the other, as a person with two terminals gives them: what is too early is said again. */
async function give(title: string, places: Record<string, string>): Promise<void> {
  let migration: CliProcess | undefined;
  const commands = steps.get(title) ?? [];
  expect(commands.length, title).toBeGreaterThan(0);
  for (const line of commands) {
    expect(line).toMatch(/^holdfast /);
    const placed = Object.entries(places).reduce((text, [from, to]) => text.replaceAll(from, to), line);
    const command = placed.replace(/^holdfast /, '');
    if (/^migrate (redis|sentinel):/.test(command) && !command.endsWith(' --explain')) {
      migration = startCli(command.split(' '), { cwd: folder, env });
      running.push(migration);
      continue;
    }
    let last = '';
    const isDone = async () => {
      const { status, said } = await run(command);
      last = `${line}: ${status} ${said} ${migration?.said()}`;
      if (status !== 0) expect(last).toMatch(/CUT_OVER_NOT_NOW|MIGRATION_NONE|MIGRATION_NOT_RUNNING/);
      return status === 0;
    };
    await waitFor(isDone, { what: line, withinMs: 60_000, everyMs: 100 }).catch((error: Error) => {
      throw new Error(`${error.message}: ${last}`);
    });
  }
  if (migration !== undefined) expect(await migration.ended, migration.said()).toBe(0);
}

/** A server with a password and two keys. */
async function serverWith(name: string, options: string[] = []): Promise<{ at: string; port: number }> {
  const { port } = await startRedis(['--requirepass', password, '--masterauth', password, ...options]);
  await client(port, { password }).multi().set(`${name}:string`, 'v').rpush(`${name}:list`, 1, 2).exec();
  return { at: `127.0.0.1:${port}`, port };
}

async function keysThere(): Promise<string[]> {
  const gate = client(gatePort, { password });
  return (await gate.keys('*')).toSorted();
}

/** Both may run on this machine. */
async function giveOtherPorts(): Promise<void> {
  const file = path.join(folder, 'holdfast.yaml');
  const spec = parseDocument(readFileSync(file, 'utf8'));
  const port = await freePorts(13);
  spec.setIn(['redis', 'port'], port);
  spec.setIn(['sentinel', 'port'], port + 5);
  spec.setIn(['gate', 'port'], port + 10);
  spec.setIn(['gate', 'replicaPort'], port + 11);
  spec.setIn(['agent', 'port'], port + 12);
  writeFileSync(file, spec.toString());
  gatePort = port + 10;
}

test('each of them is there', () => {
  const titles = ['From Sentinel and HAProxy', 'From one server', 'From many into one', 'From ElastiCache'];
  expect([...steps.keys()]).toEqual([...titles, 'From a Helm chart']);
});

test('from Sentinel into a deployment of its own, then from others into the same', async () => {
  for (const name of ['old.password', 'default.password'])
    writeFileSync(path.join(folder, name), `${password}\n`, { mode: 0o600 });
  const watched = await serverWith('watched');
  const sentinel = await startSentinel('mymaster', watched.port, 1, [
    `sentinel auth-pass mymaster ${password}`,
  ]);
  const places = { '10.0.1.55:26379': `127.0.0.1:${sentinel.port}` };
  const commands = steps.get('From Sentinel and HAProxy')!;
  steps.set('the spec', commands.slice(0, 1));
  steps.set('the rest', commands.slice(1));
  await give('the spec', places);
  await giveOtherPorts();
  await give('the rest', places);
  expect(await keysThere()).toEqual(['watched:list', 'watched:string']);

  const one = await serverWith('one');
  await give('From one server', { '10.0.1.55:6379': one.at });
  const [orders, carts] = [await serverWith('x'), await serverWith('x')];
  await give('From many into one', { '10.0.1.55:6379': orders.at, '10.0.1.56:6379': carts.at });
  expect(await keysThere()).toEqual(
    ['carts:x', 'one', 'orders:x', 'watched'].flatMap((name) => [`${name}:list`, `${name}:string`]),
  );
});

test('from a service that refuses replication and CONFIG, and from a chart', async () => {
  await client(gatePort, { password }).flushall();
  const rights = [
    'on',
    `>${password}`,
    '~*',
    '&*',
    '+@all',
    '-psync',
    '-sync',
    '-replconf',
    '-config',
    '-acl',
  ];
  const { port } = await startRedis(['--notify-keyspace-events', 'KEA', '--user', 'default', ...rights]);
  await client(port, { password }).set('managed', 'v');
  await give('From ElastiCache', {
    'rediss://orders.abc123.cache.amazonaws.com:6379': `redis://127.0.0.1:${port}`,
  });
  expect(await keysThere()).toEqual(['managed']);
  const chart = new URL('../fixtures/init/bitnami-values.yaml', import.meta.url).pathname;
  copyFileSync(chart, path.join(folder, 'values.yaml'));
  const pod = await serverWith('pod');
  await give('From a Helm chart', { '10.0.1.55:6379': pod.at });
  expect(await keysThere()).toEqual(['managed', 'pod:list', 'pod:string']);
});
