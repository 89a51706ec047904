import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type CliProcess, startCli } from '../support/cli-process.ts';
import { PlainSentinels } from '../support/plain-sentinels.ts';
import { cleanUp, client, freePort, startRedis, tempFolder } from '../support/redis-processes.ts';

/**
 * `holdfast gate --sentinel …` where HAProxy stands today: servers and Sentinels that holdfast did not make and does not
 * touch, and no agent. The Sentinels change the primary by themselves; clients of the gate wait, and see nothing else.
 */
const gates: CliProcess[] = [];
afterAll(async () => {
  for (const { child } of gates) child.kill('SIGKILL');
  await cleanUp();
});

interface Alone {
  port: number;
  replicaPort: number;
  metrics: (page: string) => Promise<{ status: number; text: string }>;
  said: () => string;
  process: CliProcess;
}

async function gateFor(args: string[]): Promise<Alone> {
  const [port, replicaPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const listen = ['--listen', `127.0.0.1:${port}`, '--replica-listen', `127.0.0.1:${replicaPort}`];
  const process = startCli([
    'gate',
    ...args,
    ...listen,
    '--metrics',
    `127.0.0.1:${metricsPort}`,
    '--hold',
    '30s',
  ]);
  gates.push(process);
  const metrics = async (page: string) => {
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/${page}`);
    return { status: answer.status, text: await answer.text() };
  };
  const open = async () => (await metrics('readyz').catch(() => ({ text: '' }))).text.startsWith('open');
  await waitFor(open, { what: 'the gate to open', withinMs: 60_000 }).catch((error: Error) => {
    throw new Error(`${error.message}\n${process.said()}`);
  });
  return { port, replicaPort, metrics, said: process.said, process };
}

/** Increments one after another until told to stop: how many were acknowledged, and the errors. */
function counting(redis: Redis): () => Promise<{ acknowledged: number; errors: string[] }> {
  const found = { acknowledged: 0, errors: [] as string[] };
  let stopped = false;
  const loop = (async () => {
    while (!stopped) {
      await redis.incr('count').then(
        () => found.acknowledged++,
        (error: Error) => found.errors.push(error.message),
      );
    }
  })();
  return async () => {
    stopped = true;
    await loop;
    return found;
  };
}

/** A crash and a switchover by the Sentinels under load, through the gate. */
async function changesOfPrimary(plain: PlainSentinels, gate: Alone, redis: Redis): Promise<void> {
  const stop = counting(redis);
  const crashedTo = await plain.crash();
  await waitFor(() => gate.said().includes(`:${crashedTo}) is primary`), {
    what: 'the gate to follow',
    withinMs: 60_000,
  });
  const switchedTo = await plain.switchOver();
  await waitFor(() => gate.said().includes(`:${switchedTo}) is primary`), {
    what: 'the gate to follow',
    withinMs: 60_000,
  });
  await redis.set('after', 'both');
  const { acknowledged, errors } = await stop();
  expect(acknowledged).toBeGreaterThan(0);
  // One write at most was in flight when the primary died, and one when Sentinel ended its clients' connections.
  expect(errors.filter((text) => !text.startsWith('UNCERTAIN'))).toEqual([]);
  expect(errors.length).toBeLessThanOrEqual(2);
  expect(redis.status).toBe('ready');
  expect(await redis.get('after')).toBe('both');
}

describe('without passwords', () => {
  let plain: PlainSentinels;
  let gate: Alone;

  test('it serves, follows a crash and a switchover, and drops no client', async () => {
    plain = await PlainSentinels.start();
    gate = await gateFor(['--sentinel', plain.addresses, '--name', plain.name]);
    await changesOfPrimary(plain, gate, client(gate.port));
  });

  test('a server that is added is read from once the Sentinels and the primary list it', async () => {
    const added = await plain.addMember();
    const admin = plain.clientOf(added);
    const learned = async () => {
      // On a busy machine Sentinels may change the primary once more meanwhile.
      await admin.call('REPLICAOF', '127.0.0.1', await plain.primary());
      return gate.said().includes(`127.0.0.1:${added.port}`);
    };
    await waitFor(learned, { what: 'the gate to learn of it', withinMs: 60_000, everyMs: 1000 });
    const readers = Array.from({ length: 6 }, () => client(gate.replicaPort));
    const asked = async () => {
      const ports = await Promise.all(readers.map((each) => each.config('GET', 'port') as Promise<string[]>));
      return ports.some((answer) => answer[1] === `${added.port}`);
    };
    await waitFor(asked, { what: 'reads from the new replica', withinMs: 60_000, everyMs: 50 });
  });

  test('a server that is only named is no member', async () => {
    const stranger = await startRedis();
    const primary = await plain.primary();
    const id = String(await plain.sentinel(0).call('SENTINEL', 'MYID'));
    const epoch = 1000;
    const hello = `127.0.0.1,${plain.sentinels[0]?.port},${id},${epoch},${plain.name},127.0.0.1,${stranger.port},${epoch}`;
    await plain.clientOf({ port: primary } as never).publish('__sentinel__:hello', hello);
    await waitFor(() => gate.said().includes(`${stranger.port}, which is no member`), {
      what: 'the gate to say so',
      withinMs: 60_000,
    });
    expect(await client(stranger.port).info('commandstats')).not.toMatch(/cmdstat_(role|command)/);
  });

  test('metrics and health are served; SIGTERM drains', async () => {
    const { text } = await gate.metrics('metrics');
    expect(text).toMatch(/holdfast_gate_switches_total\{.*gate="gate-1".*\} [1-9]/);
    expect(text).toContain('holdfast_gate_clients{');
    expect((await gate.metrics('livez')).status).toBe(200);
    expect((await gate.metrics('nothing')).status).toBe(404);
    gate.process.child.kill('SIGTERM');
    expect(await gate.process.ended).toBe(0);
  });
});

test('with passwords, TLS, hostnames and two workers', async () => {
  const folder = tempFolder();
  const tls = makeCertificates(folder);
  const plain = await PlainSentinels.start({
    host: 'localhost',
    password: 'a-word-for-servers',
    sentinelPassword: 'a-word-for-sentinels',
    tls,
  });
  const secret = (name: string, text: string) => {
    const file = path.join(folder, name);
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
    return file;
  };
  const gate = await gateFor([
    ...['--sentinel', plain.addresses, '--name', plain.name, '--workers', '2'],
    ...['--password-file', secret('servers', 'a-word-for-servers')],
    ...['--sentinel-password-file', secret('sentinels', 'a-word-for-sentinels')],
    ...['--tls-upstream', '--tls-ca', tls.ca, '--tls-cert', tls.cert, '--tls-key', tls.key],
  ]);
  const redis = client(gate.port, {
    password: 'a-word-for-servers',
    tls: { ca: tls.ca, rejectUnauthorized: false },
  });
  await changesOfPrimary(plain, gate, redis);
  const reader = client(gate.replicaPort, {
    password: 'a-word-for-servers',
    tls: { rejectUnauthorized: false },
  });
  await waitFor(async () => (await reader.get('after')) === 'both', {
    what: 'the replica',
    withinMs: 60_000,
  });
  gate.process.child.kill('SIGTERM');
  expect(await gate.process.ended).toBe(0);
});

test("what it can't do it says in one line, and before it looks for anybody", async () => {
  const { port } = await startRedis();
  const upstream = ['--upstream', `127.0.0.1:${port}`];
  const said = async (args: string[]) => {
    const gate = startCli(['gate', ...args, '--listen', `127.0.0.1:${port}`]);
    gates.push(gate);
    expect(await gate.ended).not.toBe(0);
    return gate.said();
  };
  const [both, busy, nothing] = await Promise.all([
    said([...upstream, '--sentinel', '127.0.0.1:26379', '--name', 'x']),
    said(upstream),
    said([...upstream, '--limit', 'requestBytes=0']),
  ]);
  expect(both).toMatch(/--upstream and --sentinel exclude each other/);
  expect(busy).toMatch(/cannot listen on .*EADDRINUSE/);
  expect(busy).not.toMatch(/is primary|open after/);
  expect(nothing).toMatch(/limits\.requestBytes must be at least 1024, found 0/);
});

test('killed with its workers it leaves no file behind', async () => {
  const [folder, port] = [path.join(tempFolder(), 'tmp'), await freePort()];
  mkdirSync(folder);
  const { port: upstream } = await startRedis();
  const listen = ['--listen', `127.0.0.1:${port}`, '--upstream', `127.0.0.1:${upstream}`];
  const gate = startCli(['gate', ...listen, '--workers', '2'], { env: { TMPDIR: folder } });
  gates.push(gate);
  const isOpen = () => gate.printed().includes('listening');
  await waitFor(isOpen, { what: 'the gate to listen', withinMs: 60_000 }).catch((error: Error) => {
    throw new Error(`${error.message}\n${gate.said()}`);
  });
  expect(await client(port).ping()).toBe('PONG');
  gate.child.kill('SIGKILL');
  await gate.ended;
  expect(readdirSync(folder)).toEqual([]);
});

test('replicated: no acknowledged write is lost in a crash that the Sentinels heal', async () => {
  const plain = await PlainSentinels.start();
  const gate = await gateFor([
    '--sentinel',
    plain.addresses,
    '--name',
    plain.name,
    '--durability',
    'replicated',
  ]);
  const redis = client(gate.port);
  const stop = counting(redis);
  await waitFor(async () => Number(await redis.get('count')) > 50, { what: 'some writes', withinMs: 60_000 });
  await plain.crash();
  await redis.set('after', 'crash');
  const { acknowledged } = await stop();
  expect(Number(await redis.get('count'))).toBeGreaterThanOrEqual(acknowledged);
});
