/** `adopt` that is killed anywhere, said twice at once, or overtaken by a failover: what ran runs on, and the next one goes on. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { lookAtWhatRuns, takeOverWhatRuns } from '../../src/agent/adopt/adopt.ts';
import { findRedisServer } from '../../src/agent/server-program.ts';
import { statePaths } from '../../src/agent/state/paths.ts';
import { waitFor } from '../../src/base/retry.ts';
import { freePorts } from '../../src/process/free-ports.ts';
import { loadSpec } from '../../src/spec/load.ts';
import {
  type AdoptPlace,
  adopt,
  adoptWords,
  changesLeft,
  specOfWhatRuns,
  untilStatus,
} from '../support/adopt-place.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type CliProcess, startCli } from '../support/cli-process.ts';
import { holdfast } from '../support/deployment.ts';
import { type PlainOptions, PlainSentinels } from '../support/plain-sentinels.ts';
import { cleanUp, client, kill9, startRedis, tempFolder } from '../support/redis-processes.ts';
import { isWhole } from '../support/whole-run.ts';
import { WriteLoad } from '../support/write-load.ts';

const whole = isWhole;
const password = 'of-the-servers';
const adopted: AdoptPlace[] = [];

afterEach(async () => {
  for (const { where } of adopted.splice(0)) await holdfast(['down', ...where]);
});
afterAll(cleanUp);

interface Before {
  plain: PlainSentinels;
  place: AdoptPlace;
  /** What `adopt` is told besides. */
  access: string[];
  pids: (number | undefined)[];
  load: WriteLoad;
}

/** Three servers and three Sentinels, with a password, written to. */
async function before(options: PlainOptions = {}, from: string[] = []): Promise<Before> {
  const port = await freePorts(9);
  const plain = await PlainSentinels.start({ password, firstPort: port, ...options });
  const passwordFile = path.join(tempFolder(), 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  const access = ['--password-file', passwordFile];
  const scheme = options.tls === undefined ? 'sentinel' : 'sentinels';
  const url = `${scheme}://127.0.0.1:${port + 3}/${plain.name}`;
  const place = await specOfWhatRuns(port, url, [...access, ...from]);
  writeFileSync(path.join(path.dirname(place.file), 'default.password'), password, { mode: 0o600 });
  adopted.push(place);
  const pids = [...plain.members, ...plain.sentinels].map(({ process: { pid } }) => pid);
  return { plain, place, access, pids, load: new WriteLoad([plain.clientOf(plain.members[0]!)]) };
}

/** Every process is the one that it was, nothing waits, and the primary may die. */
async function expectTakenOver({ plain, place, pids }: Before, load?: WriteLoad): Promise<void> {
  const status = await untilStatus(place, 'everything to be up', ({ state }) => state === 'healthy');
  // What an adopt that was killed behind the agent's start had left.
  expect(await holdfast(['apply', ...place.where, '--yes'])).toMatchObject({ status: 0 });
  expect([...status.members, ...status.sentinels].map(({ pid }) => pid)).toEqual(pids);
  expect(await changesLeft(place)).toEqual([]);
  const names = ['redis-1', 'redis-2', 'redis-3'];
  const primary = plain.members[names.indexOf(status.primary ?? '')]!;
  if (load !== undefined) expect(await plain.clientOf(primary).call('WAIT', 2, 10_000)).toBe(2);
  await kill9(primary.process);
  await untilStatus(place, 'another primary', ({ state, primary: now }) => {
    return state === 'healthy' && now !== status.primary;
  });
  const gate = plain.clientOf({ port: place.port + 6 } as never);
  expect(await gate.set('behind', 'it')).toBe('OK');
  if (load !== undefined) expect(await load.lost(gate)).toEqual([]);
}

async function expectUnnoticed(load: WriteLoad): Promise<void> {
  const { acknowledged, errors, dropped } = await load.stop();
  expect(acknowledged).toBeGreaterThan(0);
  expect([[...errors], dropped]).toEqual([[], 0]);
}

function begin({ place, access }: Before): CliProcess {
  return startCli(adoptWords(place, ['--yes', ...access]));
}

const linesOf = (running: CliProcess) =>
  running.said().split('\n').length + running.printed().split('\n').length - 2;

/** When it has said so many lines. @returns whether it was killed before it ended */
async function killedBehind(running: CliProcess, lines: number): Promise<boolean> {
  let isOver = false;
  void running.ended.then(() => {
    isOver = true;
  });
  while (!isOver && linesOf(running) < lines) await new Promise((resolve) => setTimeout(resolve, 1));
  running.child.kill('SIGKILL');
  return (await running.ended) === -1;
}

test('a failover between the look and the doing is noticed, and the next adopt goes on', async () => {
  const port = await freePorts(9);
  const [one, other] = [await startRedis([], { port }), await startRedis([], { port: port + 1 })];
  const [first, second] = [client(one.port), client(other.port)];
  await second.replicaof('127.0.0.1', port);
  const follows = async (redis: Redis) => (await redis.info('replication')).includes('master_link_status:up');
  await waitFor(() => follows(second), { what: 'the replica', withinMs: 60_000 });
  const place = await specOfWhatRuns(port, `redis://127.0.0.1:${port}`, ['--name', 'two']);
  const spec = await loadSpec(place.file);
  const adoption = {
    ...{ spec, host: 'local', paths: statePaths(place.stateDir), keepersOff: true },
    access: { servers: undefined, sentinels: undefined },
    server: await findRedisServer(spec.redis),
  };
  const { facts, plan } = await lookAtWhatRuns(adoption);
  expect(plan).toMatchObject({ primary: 'redis-1', refusals: [] });
  await second.replicaof('NO', 'ONE');
  await first.replicaof('127.0.0.1', port + 1);
  await waitFor(() => follows(first), { what: 'the old primary to follow', withinMs: 60_000 });
  await expect(takeOverWhatRuns(adoption, facts, () => {})).rejects.toMatchObject({
    ...{ code: 'ADOPT_REFUSED', message: 'redis-1 was primary when it was looked at, and is a replica now' },
  });
  const again = await lookAtWhatRuns(adoption);
  expect(again.plan).toMatchObject({ primary: 'redis-2', refusals: [] });
  await takeOverWhatRuns(adoption, again.facts, () => {});
  const conf = (id: string) => readFileSync(statePaths(place.stateDir).member(id).config, 'utf8');
  expect([conf('redis-1'), conf('redis-2')].map((text) => /^replicaof /m.test(text))).toEqual([true, false]);
});

describe.skipIf(!whole)('in a whole run', () => {
  test('killed behind each line that it says, and said again each time', async () => {
    const made = await before();
    let kills = 0;
    for (let lines = 1; ; lines++) {
      const running = begin(made);
      if (!(await killedBehind(running, lines))) {
        expect(await running.ended, running.said()).toBe(0);
        break;
      }
      kills++;
    }
    expect(kills).toBeGreaterThan(10);
    // One that was killed while the agent started is the last.
    await adopt(made.place, ['--yes', ...made.access]);
    await expectUnnoticed(made.load);
    await expectTakenOver(made, made.load);
  }, 600_000);

  test('two at once: one does it, the other says so', async () => {
    const made = await before();
    const both = [begin(made), begin(made)];
    const ends = await Promise.all(both.map(({ ended }) => ended));
    const said = both.map((each) => each.printed() + each.said());
    expect(ends, said.join('\n')).toContain(0);
    for (const [index, status] of ends.entries())
      if (status !== 0) expect(said[index]).toMatch(/ALREADY_RUNS|ADOPT_REFUSED/);
    await adopt(made.place, ['--yes', ...made.access]);
    await expectUnnoticed(made.load);
    await expectTakenOver(made, made.load);
  }, 600_000);

  test.each([1, 4, 8, 12, 16])(
    'a failover behind its line %i',
    async (lines) => {
      const made = await before();
      await made.load.stop();
      const running = begin(made);
      while (linesOf(running) < lines) await new Promise((resolve) => setTimeout(resolve, 1));
      await made.plain.switchOver();
      const status = await running.ended;
      if (status !== 0) {
        expect(running.said()).toMatch(/ADOPT_REFUSED/);
        await made.plain.settled(made.place.port);
      }
      await adopt(made.place, ['--yes', ...made.access]);
      await expectTakenOver(made);
    },
    180_000,
  );

  test('Sentinels and servers that speak TLS', async () => {
    const tls = makeCertificates(tempFolder());
    const files = ['--tls-ca', tls.ca, '--tls-cert', tls.cert, '--tls-key', tls.key];
    const made = await before({ tls }, files);
    await adopt(made.place, ['--yes', ...made.access]);
    await expectUnnoticed(made.load);
    await expectTakenOver(made, made.load);
  }, 600_000);
});
