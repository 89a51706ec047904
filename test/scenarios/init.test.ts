/** `init --from`: what runs becomes a spec, and `up` of that spec runs the same. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { freePorts } from '../../src/process/free-ports.ts';
import { fillWithAllTypes } from '../support/all-types.ts';
import { holdfast } from '../support/deployment.ts';
import {
  cleanUp,
  client,
  kill9,
  type Server,
  startRedis,
  startSentinel,
  tempFolder,
} from '../support/redis-processes.ts';
import { adminPassword, startDeployment } from '../support/replica-set.ts';

afterAll(cleanUp);

const chosen = {
  maxmemory: String(64 * 2 ** 20),
  'maxmemory-policy': 'allkeys-lru',
  'hash-max-listpack-entries': '77',
  'notify-keyspace-events': 'xE',
  'slowlog-log-slower-than': '4321',
  save: '',
  appendonly: 'no',
  'min-replicas-to-write': '1',
};

test('a Sentinel deployment with a password becomes a spec, and up brings the same settings and logins', async () => {
  const given = Object.entries(chosen).filter(([name]) => !['save', 'appendonly'].includes(name));
  const deployment = await startDeployment({
    passwords: true,
    settings: given.flatMap(([name, value]) => [`--${name}`, value]),
  });
  const folder = tempFolder();
  const file = path.join(folder, 'holdfast.yaml');
  const passwordFile = path.join(folder, 'default.password');
  writeFileSync(passwordFile, `${adminPassword}\n`, { mode: 0o600 });
  const from = `sentinel://127.0.0.1:${deployment.sentinels[0]?.port}/orders`;
  const asked = await holdfast(['init', file, '--from', from, '--password-file', passwordFile, '--json']);
  expect(asked.status, asked.stderr).toBe(0);
  const answer = JSON.parse(asked.stdout) as { notCarried: { path: string; what: string }[] };
  expect(answer.notCarried.map(({ path: at }) => at)).toContain('security.users.default');
  const text = readFileSync(file, 'utf8');
  for (const each of [text, asked.stdout, asked.stderr]) {
    expect(each).not.toContain(adminPassword);
    expect(each).not.toContain('gate-secret');
  }
  expect(text).toContain('name: orders');
  expect(text).toMatch(/Not carried over: the ports/);

  await Promise.all([...deployment.members, ...deployment.sentinels].map((each) => kill9(each.process)));
  const port = await freePorts(13);
  const spec = parseDocument(text);
  expect(spec.toJS()).toMatchObject({
    redis: { members: 3, persistence: 'none' },
    sentinel: { count: 3, quorum: 2, detectAfter: '3s', failoverTimeout: '10s' },
  });
  spec.setIn(['redis', 'port'], port);
  spec.setIn(['sentinel', 'port'], port + 3);
  spec.set('gate', spec.createNode({ port: port + 6, replicaPort: port + 7 }));
  spec.set('agent', spec.createNode({ port: port + 8 }));
  writeFileSync(file, spec.toString());
  const stateDir = path.join(folder, 'state');
  const started = await holdfast(['up', file, '--state-dir', stateDir, '--detach']);
  try {
    expect(started.status, started.stderr).toBe(0);
    for (const at of [port, port + 1, port + 2]) {
      const redis = client(at, { password: adminPassword });
      for (const [name, value] of Object.entries(chosen)) {
        expect(await redis.config('GET', name), name).toEqual([name, value]);
      }
    }
    await runMigrateCommands(folder, file, stateDir);
    const gate = client(port + 6, { password: adminPassword });
    expect(await gate.set('as', 'before')).toBe('OK');
  } finally {
    await holdfast(['down', file, '--state-dir', stateDir]);
  }
});

/** What stands before the steps of whole migrations, which migrating-page.test.ts runs. */
function referencePart(): string {
  return readFileSync('docs/migrating.md', 'utf8').split('\n## Step by step')[0] as string;
}

/** Every `holdfast migrate` of docs/migrating.md, from a server with a password into the deployment, through its gate. */
async function runMigrateCommands(folder: string, spec: string, stateDir: string): Promise<void> {
  const password = 'told-by-nobody';
  const passwordFile = path.join(folder, 'servers.password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const source = await startRedis(['--requirepass', password]);
  await fillWithAllTypes(client(source.port, { password }), 60);
  const page = referencePart();
  const all = [...page.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) =>
    block.trim().split('\n'),
  );
  // What follows a source until the cut-over is run by migrate.test.ts, a gate before it by migrate-gate.test.ts, what reads
  // files by migrate-files.test.ts.
  const elsewhere = /^(init |gate |migrate (redis:|s3:|one\.rdb|\/|status|cutover|finish)|HOLDFAST_)/;
  const commands = all.map((line) => line.replace(/^holdfast /, '')).filter((line) => !elsewhere.test(line));
  expect(commands.map((line) => line.split(' ', 2).join(' '))).toEqual([
    'migrate scan',
    'rdb merge',
    'restore all.rdb',
    'migrate verify',
  ]);
  for (const name of ['one.rdb', 'two.rdb']) await saveAs(source, password, path.join(folder, name));
  for (const command of commands) {
    const words = command
      .replace('10.0.1.55:6379', `127.0.0.1:${source.port}`)
      .replace('holdfast.yaml', spec)
      .replace('servers.password', passwordFile)
      .replaceAll(/\w+\.rdb/g, (name) => path.join(folder, name))
      .split(' ');
    const state = words[0] === 'rdb' ? [] : ['--state-dir', stateDir];
    const { status, stdout, stderr } = await holdfast([...words, ...state]);
    expect(status, `${command}: ${stdout}${stderr}`).toBe(0);
  }
}

async function saveAs({ port, folder }: Server, password: string, file: string): Promise<void> {
  await client(port, { password }).save();
  copyFileSync(path.join(folder, 'dump.rdb'), file);
}

test('a server alone, a server without CONFIG, and what is no server', async () => {
  const folder = tempFolder();
  const plain = await startRedis(['--hz', '20']);
  const file = path.join(folder, 'one.yaml');
  const asked = await holdfast(['init', file, '--from', `redis://127.0.0.1:${plain.port}`, '--name', 'one']);
  expect(asked.status, asked.stderr).toBe(0);
  expect(parseDocument(readFileSync(file, 'utf8')).toJS()).toMatchObject({
    name: 'one',
    redis: { members: 1, port: plain.port, persistence: 'none', config: { hz: 20 } },
    agent: { restarts: { limit: 0 } },
  });

  const again = await holdfast(['init', file, '--from', `redis://127.0.0.1:${plain.port}`, '--json']);
  expect(again.status).toBe(2);
  expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: 'INIT_SPEC_THERE' } });

  const managed = await startRedis([
    '--user',
    'default',
    'on',
    'nopass',
    '~*',
    '&*',
    '+@all',
    '-config',
    '-acl',
  ]);
  const other = path.join(folder, 'managed.yaml');
  const told = await holdfast(['init', other, '--from', `redis://127.0.0.1:${managed.port}`]);
  expect(told.status, told.stderr).toBe(0);
  expect(readFileSync(other, 'utf8')).toContain('the server refuses CONFIG GET');

  const nothing = path.join(folder, 'nothing.yaml');
  const refused = await holdfast(['init', nothing, '--from', 'redis://127.0.0.1:1', '--json']);
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'INIT_SOURCE_UNREADABLE' } });
  expect(existsSync(nothing)).toBe(false);
});

test('every command of docs/migrating.md that begins with init runs as it stands there', async () => {
  const folder = tempFolder();
  const password = 'told-by-nobody';
  writeFileSync(path.join(folder, 'servers.password'), password, { mode: 0o600 });
  const server = await startRedis(['--requirepass', password, '--masterauth', password]);
  const sentinel = await startSentinel('mymaster', server.port, 1, [
    `sentinel auth-pass mymaster ${password}`,
  ]);
  const commands = [...referencePart().matchAll(/^```sh\nholdfast (init .*)$/gm)].map(
    ([, command = '']) => command,
  );
  expect(commands).toHaveLength(4);
  const fixtures = new URL('../fixtures/init/', import.meta.url).pathname;
  for (const command of commands) {
    const words = command
      .replace('10.0.1.55:26379', `127.0.0.1:${sentinel.port}`)
      .replace('10.0.1.55:6379', `127.0.0.1:${server.port}`)
      .replace(' values.yaml', ` ${fixtures}bitnami-values.yaml`)
      .replaceAll(/ (redis|sentinel)\.conf/g, ` ${fixtures}$1.conf`)
      .replace('servers.password', path.join(folder, 'servers.password'))
      .replace(/^init (\S+)/, `init ${folder}/$1`)
      .split(' ');
    const { status, stderr } = await holdfast(words);
    expect(status, `${command}: ${stderr}`).toBe(0);
    expect(readFileSync(words[1] as string, 'utf8')).not.toContain(password);
  }
});

test('a first spec, and one from files', async () => {
  const folder = tempFolder();
  const first = path.join(folder, 'holdfast.yaml');
  expect((await holdfast(['init', first])).status).toBe(0);
  expect((await holdfast(['render', 'redis', first])).status).toBe(0);

  const fixtures = new URL('../fixtures/init/', import.meta.url).pathname;
  const second = path.join(folder, 'orders.yaml');
  const from = ['redis.conf', 'sentinel.conf'].flatMap((name) => ['--from', path.join(fixtures, name)]);
  const asked = await holdfast(['init', second, ...from]);
  expect(asked.status, asked.stderr).toBe(0);
  const { redis } = parseDocument(readFileSync(second, 'utf8')).toJS() as { redis: { config: object } };
  // The engine of this machine knows what is a default, by whichever of its names.
  expect(redis.config).toMatchObject({ databases: 32, 'hash-max-listpack-entries': 256 });
  expect(redis.config).not.toHaveProperty('tcp-backlog');
});
