import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { holdfast, TestDeployment } from '../support/deployment.ts';

const started: TestDeployment[] = [];

afterEach(async () => {
  for (const deployment of started.splice(0)) await deployment.destroy();
});

async function track(deployment: Promise<TestDeployment>): Promise<TestDeployment> {
  const created = await deployment;
  started.push(created);
  return created;
}

/** One deployment: each test goes on with what the one before left. */
describe('up and down', () => {
  let deployment: TestDeployment;
  beforeAll(async () => {
    deployment = await TestDeployment.create();
  });
  afterAll(() => deployment?.destroy());

  test('up takes writes, status has the documented shape, a second up says that it runs, down leaves nothing', async () => {
    await deployment.start();
    const client = deployment.client();
    expect(await client.set('kept', 'yes')).toBe('OK');

    const status = await deployment.waitUntilHealthy();
    expect(status).toMatchObject({ name: 'test', primary: 'redis-1', epoch: 0, paused: false });
    expect(Object.keys(status.members[0] as object)).toEqual(
      expect.arrayContaining([
        'id',
        'host',
        'address',
        'port',
        'role',
        'state',
        'seenAgeMs',
        'pid',
        'offset',
        'lagBytes',
        'linkUp',
        'eligible',
        'restarts',
      ]),
    );
    expect(status.members.map(({ id, role }) => [id, role])).toEqual([
      ['redis-1', 'primary'],
      ['redis-2', 'replica'],
      ['redis-3', 'replica'],
    ]);
    expect(status.sentinels.map(({ primary }) => primary)).toEqual(['redis-1', 'redis-1', 'redis-1']);
    expect(status.gates[0]).toMatchObject({ id: 'gate-1', state: 'open', port: deployment.ports.gate });
    const api = await fetch(`http://127.0.0.1:${deployment.ports.api}/status`);
    expect(((await api.json()) as Status).primary).toBe('redis-1');

    const pids = deployment.runningPids();
    expect(pids).toHaveLength(8);
    const second = await deployment.run('up');
    expect(second.status).toBe(0);
    expect(second.stdout).toContain('already runs');
    expect(deployment.runningPids()).toEqual(pids);

    const other = path.join(deployment.folder, 'other.yaml');
    writeFileSync(other, 'name: other\n');
    const verbs = ['down', 'status', 'up', 'doctor'];
    const results = verbs.map((verb) => holdfast([verb, other, '--state-dir', deployment.stateDir]));
    for (const result of await Promise.all(results)) {
      expect(result).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('holds the state of test, not'),
      });
    }
    expect(deployment.runningPids()).toEqual(pids);

    const noSuchHost = await deployment.run('down', ['--host', 'zz']);
    expect(noSuchHost).toMatchObject({ status: 2, stderr: expect.stringContaining("no host 'zz'") });
    for (const [to, shown] of [
      ['', "''"],
      ['sentinel-1', 'sentinel-1'],
    ] as const) {
      const { status, stderr } = await deployment.run('switchover', ['--to', to]);
      expect([status, stderr]).toEqual([2, expect.stringContaining(`there is no member ${shown}`)]);
      expect(stderr).toContain('The members are redis-1, ');
    }
    expect(deployment.runningPids()).toEqual(pids);

    // Ctrl-C is answered, and changes nothing: half of it stopped would be of no use.
    const interrupted = {
      status: 0,
      said: expect.stringContaining('Interrupted: test is stopped all the same'),
    };
    expect(await deployment.interruptDown()).toEqual(interrupted);
    const gone = () => pids.filter(isAlive).length === 0;
    await waitFor(gone, { what: 'every process to be gone', withinMs: 60_000 });
    const again = await deployment.run('down');
    expect(again.status).toBe(0);
    expect(again.stdout).toContain('nothing of it was running');
  });

  test('what was written before down is there after up', async () => {
    await deployment.start();
    expect(await deployment.client().get('kept')).toBe('yes');
  });

  test('a primary whose file says that it was a replica once follows nobody', async () => {
    await deployment.run('down');
    const folder = path.join(deployment.stateDir, 'members', 'redis-1');
    appendFileSync(path.join(folder, 'redis.conf'), `replicaof 127.0.0.1 ${deployment.ports.members + 2}\n`);
    await deployment.start();
    const primary = deployment.client(deployment.ports.members);
    // Once a second a redis-server looks whether it should connect to someone.
    const looked = async () => Number(/uptime_in_seconds:(\d+)/.exec(await primary.info('server'))?.[1]) >= 3;
    await waitFor(looked, { what: 'redis-1 to have run for 3 s', withinMs: 60_000 });
    expect(readFileSync(path.join(folder, 'log'), 'utf8')).not.toContain('Connecting to MASTER');
    expect((await deployment.waitUntilHealthy()).primary).toBe('redis-1');
    expect(await deployment.client().get('kept')).toBe('yes');
  });

  test('secrets are in files that only their owner reads, and in no argument', async () => {
    const secret = path.join(deployment.stateDir, 'secret');
    expect(statSync(secret).mode & 0o077).toBe(0);
    expect(statSync(path.join(deployment.stateDir, 'members/redis-1/redis.conf')).mode & 0o077).toBe(0);
    expect(statSync(path.join(deployment.stateDir, 'sentinels/sentinel-1/sentinel.conf')).mode & 0o077).toBe(
      0,
    );
    const listening = readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .map((line) => line.split(' ').at(-1) ?? '');
    const sockets = listening.filter((file) => file.startsWith(`${deployment.stateDir}/`));
    // The agent's, the gate's, and one of each server.
    expect(sockets.length).toBeGreaterThan(2);
    for (const socket of sockets) {
      // A scratch server's may be gone by now.
      const mode = statSync(socket, { throwIfNoEntry: false })?.mode ?? 0;
      expect([socket, mode & 0o077]).toEqual([socket, 0]);
    }
    const conf = readFileSync(path.join(deployment.stateDir, 'members/redis-1/redis.conf'), 'utf8');
    const password = /^masterauth (\S+)$/m.exec(conf)?.[1]?.replaceAll('"', '') ?? '';
    expect(password.length).toBeGreaterThan(30);
    for (const pid of deployment.runningPids()) {
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(password);
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(password);
    }
  });
});

describe('what stands in the way is said before anything is started', () => {
  async function refused(
    deployment: TestDeployment,
    { env = {}, more = [] }: { env?: NodeJS.ProcessEnv; more?: string[] } = {},
  ) {
    const args = ['up', deployment.specFile, '--json', '--state-dir', deployment.stateDir, ...more];
    const result = await holdfast(args, env);
    expect(deployment.runningPids()).toEqual([]);
    return {
      ...result,
      error: (JSON.parse(result.stdout) as { error: { code: string; message: string; hint: string } }).error,
    };
  }

  test('a taken port is named with the key of the spec and who has it', async () => {
    const deployment = await track(TestDeployment.create());
    const server = createServer().listen(deployment.ports.members + 1, '127.0.0.1');
    try {
      const { status, error } = await refused(deployment);
      expect(status).toBe(1);
      expect(error.code).toBe('PORT_TAKEN');
      expect(error.message).toContain(
        `127.0.0.1:${deployment.ports.members + 1} for redis-2 (redis.port) is taken by`,
      );
    } finally {
      server.close();
    }
  });

  test('a missing redis-server', async () => {
    const { error, status } = await refused(await track(TestDeployment.create()), {
      env: { PATH: '/nonexistent' },
    });
    expect(status).toBe(1);
    expect(error.code).toBe('PROGRAM_MISSING');
    expect(error.hint).toContain('apt-get install');
  });

  test('a Redis that is too old', async () => {
    const deployment = await track(TestDeployment.create());
    const fake = path.join(deployment.folder, 'redis-server');
    writeFileSync(
      fake,
      '#!/bin/sh\necho "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=1"\n',
      { mode: 0o755 },
    );
    deployment.writeSpec({ redis: { binary: fake } });
    const { error } = await refused(deployment);
    expect(error.code).toBe('SERVER_TOO_OLD');
    expect(error.message).toContain('6.0.16');
  });

  test('a server of another version or engine than the spec says', async () => {
    const deployment = await track(TestDeployment.create({ redis: { version: '5.4' } }));
    const { error } = await refused(deployment);
    expect(error.code).toBe('SERVER_NOT_AS_SPECIFIED');
    expect(error.message).toMatch(/redis-server is Redis \S+, and the spec says redis.version: "5.4"/);
  });

  test('a state directory that is a file', async () => {
    const deployment = await track(TestDeployment.create());
    writeFileSync(deployment.stateDir, '');
    const result = await deployment.run('up', [], ['--detach']);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('STATE_DIR_UNUSABLE');
    rmSync(deployment.stateDir);
  });

  test('a state directory that everyone can write, and a password that everyone can read', async () => {
    const deployment = await track(
      TestDeployment.create({ security: { users: { app: { password: { file: 'pw' } } } } }),
    );
    mkdirSync(deployment.stateDir);
    chmodSync(deployment.stateDir, 0o777);
    writeFileSync(path.join(deployment.folder, 'pw'), 'hunter2\n');
    chmodSync(path.join(deployment.folder, 'pw'), 0o644);
    const open = await refused(deployment);
    expect(open.error).toMatchObject({
      code: 'STATE_DIR_UNUSABLE',
      message: expect.stringContaining('everyone can write'),
    });
    expect(readdirSync(deployment.stateDir)).toEqual([]);
    chmodSync(deployment.stateDir, 0o700);
    const readable = await refused(deployment);
    expect(readable.error.code).toBe('SECRET_UNAVAILABLE');
    expect(readable.error.message).toContain('everyone can read it (mode 0644)');
    expect(deployment.runningPids()).toEqual([]);
  });

  test('a server that can’t start: its log is shown, and the others are stopped again', async () => {
    const deployment = await track(
      TestDeployment.create({ redis: { config: { 'no-such-directive': 'yes' } } }),
    );
    const { error, status } = await refused(deployment, { more: ['--detach'] });
    expect(status).toBe(1);
    expect(error.code).toBe('START_FAILED');
    expect(error.message).toContain('no-such-directive');
  });

  test('a port of the API that is taken while the servers start: it is named, and they are stopped again', async () => {
    const deployment = await track(TestDeployment.create());
    const server = createServer();
    // Looked at before anything is started, it is free.
    const take = async () => {
      const pidFile = path.join(deployment.stateDir, 'members', 'redis-1', 'process.json');
      await waitFor(async () => existsSync(pidFile), { what: 'a server', withinMs: 30_000, everyMs: 5 });
      server.listen(deployment.ports.api, '127.0.0.1');
    };
    const args = ['up', deployment.specFile, '--json', '--state-dir', deployment.stateDir];
    try {
      const [{ stdout, status }] = await Promise.all([holdfast(args), take()]);
      expect({ status, error: JSON.parse(stdout).error }).toMatchObject({
        status: 1,
        error: {
          code: 'PORT_TAKEN',
          message: expect.stringContaining(
            `127.0.0.1:${deployment.ports.api} for the API (agent.bind, agent.port) is taken by`,
          ),
          hint: expect.stringContaining('stopped again'),
        },
      });
      expect(deployment.runningPids()).toEqual([]);
    } finally {
      server.close();
    }
  });

  test('a spec with a misspelt key ends with 2 and says where', async () => {
    const deployment = await track(TestDeployment.create());
    appendFileSync(deployment.specFile, 'sentinels: {}\n');
    const result = await deployment.run('up');
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/holdfast\.yaml:\d+:\d+.*sentinels/s);
    expect(result.stderr).toContain('sentinel');
  });

  test('commands to an agent that does not run say so', async () => {
    const deployment = await track(TestDeployment.create());
    mkdirSync(deployment.stateDir);
    const verbs = ['status', 'switchover', 'failover', 'pause'];
    for (const result of await Promise.all(verbs.map((verb) => deployment.run(verb)))) {
      expect(result.status).toBe(1);
      expect(result.stderr).toContain('NOT_RUNNING');
    }
  });
});
