/** `adopt`: what runs becomes a deployment, and nobody who is connected notices. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { lookAtWhatRuns, takeOverWhatRuns } from '../../src/agent/adopt/adopt.ts';
import { findRedisServer } from '../../src/agent/server-program.ts';
import { statePaths } from '../../src/agent/state/paths.ts';
import { waitFor } from '../../src/base/retry.ts';
import { freePorts } from '../../src/process/free-ports.ts';
import { loadSpec } from '../../src/spec/load.ts';
import { adopt, changesLeft, specOfWhatRuns, untilStatus } from '../support/adopt-place.ts';
import { makeCertificates } from '../support/certificates.ts';
import { holdfast } from '../support/deployment.ts';
import {
  cleanUp,
  client,
  kill9,
  type Server,
  start,
  startRedis,
  tempFolder,
} from '../support/redis-processes.ts';
import { isWhole } from '../support/whole-run.ts';
import { WriteLoad } from '../support/write-load.ts';

/** What a test has taken over, which `down` ends. */
const adopted: string[][] = [];

afterAll(async () => {
  for (const where of adopted) await holdfast(['down', ...where]);
  await cleanUp();
});

async function runId(port: number, password?: string): Promise<string> {
  const info = await client(port, password ? { password } : {}).info('server');
  return /run_id:(\w+)/.exec(info)?.[1] ?? '';
}

test('a server alone, under writes: an interrupted adopt, then a whole one, and it fails over as any deployment', async () => {
  const port = await freePorts(9);
  const server = await startRedis([], { port });
  const before = await runId(port);
  const place = await specOfWhatRuns(port, `redis://127.0.0.1:${port}`, ['--members', '3', '--name', 'one']);
  const writers = [client(port), client(port)];
  const load = new WriteLoad(writers);

  const looked = await adopt(place, ['--dry-run']);
  expect(looked).toMatchObject({ adopted: false, plan: { primary: 'redis-1', refusals: [] } });
  expect(looked.plan?.starts.map(({ id }) => id)).toEqual([
    ...['redis-2', 'redis-3', 'sentinel-1', 'sentinel-2', 'sentinel-3', 'gate-1'],
  ]);
  // Ended before the agent was started.
  const spec = await loadSpec(place.file);
  const adoption = {
    ...{ spec, host: 'local', paths: statePaths(place.stateDir), keepersOff: true },
    access: { servers: undefined, sentinels: undefined },
    server: await findRedisServer(spec.redis),
  };
  await takeOverWhatRuns(adoption, (await lookAtWhatRuns(adoption)).facts, () => {});

  adopted.push(place.where);
  const answer = await adopt(place, ['--yes']);
  expect(answer.plan?.takes).toMatchObject([{ id: 'redis-1', begun: true, pid: server.process.pid }]);
  expect(answer.status).toMatchObject({ state: 'healthy', primary: 'redis-1' });
  expect(answer.status?.members.find(({ id }) => id === 'redis-1')?.pid).toBe(server.process.pid);
  expect(await runId(port)).toBe(before);
  const { acknowledged, errors, dropped } = await load.stop();
  expect(acknowledged).toBeGreaterThan(0);
  expect([[...errors], dropped]).toEqual([[], 0]);
  // Nothing is left over that holdfast would call somebody's change.
  expect(await changesLeft(place)).toEqual([]);

  expect(await writers[0]?.call('WAIT', 2, 10_000)).toBe(2);
  await kill9(server.process);
  await untilStatus(place, 'another primary, and the old one a replica', ({ state, primary, members }) => {
    const old = members.find(({ id }) => id === 'redis-1');
    return state === 'healthy' && primary !== 'redis-1' && old?.role === 'replica';
  });
  expect(await load.lost(client(port + 6))).toEqual([]);
  expect(await client(port + 6).set('after', 'it')).toBe('OK');
});

const password = 'of-the-servers';

test('Sentinels, a primary with a password and its replicas are taken over as they run', async () => {
  const port = await freePorts(9);
  const own = ['--requirepass', password, '--masterauth', password];
  const members = [await startRedis(own, { port })];
  for (const next of [port + 1, port + 2])
    members.push(await startRedis([...own, '--replicaof', '127.0.0.1', `${port}`], { port: next }));
  const sentinels = [3, 4, 5].map((offset) => startSentinelAt(port + offset, port));
  for (const { port: at } of sentinels) await untilKnown(at);
  const passwordFile = path.join(tempFolder(), 'default.password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  const access = ['--password-file', passwordFile];
  const place = await specOfWhatRuns(port, `sentinel://127.0.0.1:${port + 3}/mymaster`, access);
  writeFileSync(path.join(path.dirname(place.file), 'default.password'), password, { mode: 0o600 });
  const [writer] = [client(port, { password })];
  const load = new WriteLoad([writer]);

  adopted.push(place.where);
  const { plan, status } = await adopt(place, ['--yes', ...access]);
  expect(plan?.takes.map(({ id }) => id)).toEqual([
    ...['redis-1', 'redis-2', 'redis-3', 'sentinel-1', 'sentinel-2', 'sentinel-3'],
  ]);
  const pids = [...members, ...sentinels].map(({ process }) => process.pid);
  expect([...(status?.members ?? []), ...(status?.sentinels ?? [])].map(({ pid }) => pid)).toEqual(pids);
  expect(status).toMatchObject({ state: 'healthy', primary: 'redis-1', epoch: 0 });
  const { errors, dropped } = await load.stop();
  expect([[...errors], dropped]).toEqual([[], 0]);

  // One that holdfast starts in its place is the same to the others: no fourth voter.
  await kill9(sentinels[0]!.process);
  expect(await writer.call('WAIT', 2, 10_000)).toBe(2);
  await kill9(members[0]!.process);
  await untilStatus(place, 'another primary, and everything up', ({ state, primary }) => {
    return state === 'healthy' && primary !== 'redis-1';
  });
  for (const offset of [4, 5]) {
    const fields = (await client(port + offset).call('SENTINEL', 'MASTER', 'mymaster')) as string[];
    expect(fields[fields.indexOf('num-other-sentinels') + 1]).toBe('2');
  }
  expect(await load.lost(client(port + 6, { password }))).toEqual([]);
});

/** One of three, which knows everybody from the start. */
function startSentinelAt(port: number, firstPort: number): Server {
  const folder = tempFolder();
  const file = path.join(folder, 'sentinel.conf');
  const idOf = (at: number) => String(at).padStart(40, 'a');
  const others = [3, 4, 5].map((offset) => firstPort + offset).filter((at) => at !== port);
  const lines = [
    ...[`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, `sentinel myid ${idOf(port)}`],
    `sentinel monitor mymaster 127.0.0.1 ${firstPort} 2`,
    'sentinel down-after-milliseconds mymaster 3000',
    `sentinel auth-pass mymaster ${password}`,
    ...[1, 2].map((offset) => `sentinel known-replica mymaster 127.0.0.1 ${firstPort + offset}`),
    ...others.map((at) => `sentinel known-sentinel mymaster 127.0.0.1 ${at} ${idOf(at)}`),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return {
    process: start('redis-sentinel', [file], path.join(folder, 'log')),
    port,
    folder,
    args: [file],
  };
}

async function untilKnown(port: number): Promise<void> {
  const redis = client(port, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  const known = async () => {
    const fields = (await redis.call('SENTINEL', 'MASTER', 'mymaster')) as string[];
    const field = (key: string) => fields[fields.indexOf(key) + 1];
    return field('num-other-sentinels') === '2' && field('num-slaves') === '2';
  };
  const what = `the Sentinel at ${port} to know the others`;
  await waitFor(() => known().catch(() => false), { what, withinMs: 60_000, everyMs: 50 });
  redis.disconnect();
}

test.runIf(isWhole)(
  'a server that speaks TLS is taken over with its own certificates, under writes',
  async () => {
    const port = await freePorts(9);
    const folder = tempFolder();
    const { cert, key, ca } = makeCertificates(folder);
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', ca];
    const plain = await freePorts(1);
    const server = await startRedis(['--tls-port', `${port}`, ...files, '--tls-replication', 'yes'], {
      port: plain,
    });
    const place = await specOfWhatRuns(port, `rediss://127.0.0.1:${port}`, [
      ...['--members', '3', '--tls-ca', ca, '--tls-cert', cert, '--tls-key', key],
    ]);
    expect(parseDocument(readFileSync(place.file, 'utf8')).getIn(['security', 'tls', 'cert'])).toBe(cert);
    const [caText, certText, keyText] = [ca, cert, key].map((file) => readFileSync(file));
    const overTls = { tls: { ca: caText, cert: certText, key: keyText } };
    const load = new WriteLoad([client(port, overTls)]);

    const other = makeCertificates(tempFolder());
    const text = readFileSync(place.file, 'utf8');
    writeFileSync(place.file, text.replace(cert, other.cert).replace(key, other.key));
    const wrong = await holdfast(['adopt', ...place.where, '--supervisor-off', '--dry-run']);
    expect(wrong.stderr).toContain(`${other.cert} was not made by an authority of ${ca}`);
    writeFileSync(place.file, text);

    adopted.push(place.where);
    const { plan, status } = await adopt(place, ['--yes']);
    expect(plan?.warnings.join()).toContain(
      `listens on port ${plain} without TLS as well, until its next start`,
    );
    expect(status).toMatchObject({ state: 'healthy', primary: 'redis-1' });
    expect(status?.members.map(({ role }) => role)).toEqual(['primary', 'replica', 'replica']);
    expect(status?.members[0]?.pid).toBe(server.process.pid);
    const { errors, dropped, acknowledged } = await load.stop();
    expect([[...errors], dropped]).toEqual([[], 0]);
    expect(acknowledged).toBeGreaterThan(0);
    expect(await client(port + 6, overTls).set('through', 'the gate')).toBe('OK');
  },
);

test('what speaks against it is said, all of it, and nothing is changed', async () => {
  const port = await freePorts(9);
  const server = await startRedis(['--save', '3600 1', '--dbfilename', 'mine.rdb'], { port });
  const place = await specOfWhatRuns(port, `redis://127.0.0.1:${port}`);
  const redis = client(port);
  await redis.call('ACL', 'SETUSER', 'late', 'on', '>word', '~*', '+get');
  const users = await redis.call('ACL', 'LIST');
  const { dataDir } = statePaths(place.stateDir).member('redis-1');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(dataDir, 'dump.rdb'), 'of before');
  const asked = await holdfast(['adopt', ...place.where, '--yes', '--json']);
  expect(asked.status).toBe(1);
  const { error } = JSON.parse(asked.stdout) as { error: { code: string; message: string } };
  expect(error.code).toBe('ADOPT_REFUSED');
  const everything = [
    ...['dbfilename mine.rdb', 'a user late', `(pid ${process.pid}), which started it`],
    `${dataDir} has files in it`,
  ];
  for (const said of everything) expect(error.message).toContain(said);
  expect(await redis.call('ACL', 'LIST')).toEqual(users);
  const locked = await holdfast(['adopt', ...place.where, '--dry-run', '--user', 'late']);
  expect(locked.status).toBe(2);
  expect(server.process.exitCode).toBeNull();
});
