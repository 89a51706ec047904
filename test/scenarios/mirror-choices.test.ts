/** What `mirror.read: quorum`, `mirror.onSplit: serve` and `mirror diff` of a member promise, by standalone members that really run. */
import { readFileSync, statSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';
import { workersOf } from '../support/mirror-workers.ts';
import { whyNotUsual } from '../support/whole-run.ts';

let deployment: TestDeployment;
afterEach(() => deployment?.destroy());

async function up(mirror: Record<string, string>, gate: Record<string, unknown> = {}): Promise<void> {
  deployment = await TestDeployment.create({ redis: { members: 2 }, gate });
  deployment.writeSpec({ topology: 'mirror' });
  deployment.writeSpec({ mirror });
  await deployment.start();
  await deployment.waitForStatus(
    'both in sync',
    ({ state, members }) =>
      state === 'healthy' && members.every(({ role, linkUp }) => role === 'primary' || linkUp),
  );
}

async function follower() {
  const { members } = await deployment.status();
  return members.find(({ role }) => role === 'replica')!;
}

const textOf = (kind: string) => deployment.events().find((event) => event.kind === kind)?.text;

describe.skipIf(whyNotUsual !== null)('read: quorum', () => {
  test('the lead answers when those in sync say that it leads, and what differs is repaired', async () => {
    await up({ ack: 'all', read: 'quorum' }, { hold: '2s' });
    const [redis, reader] = [deployment.client(), deployment.client(deployment.ports.replica)];
    await redis.mset('a', '1', 'b', '2');
    await redis.rpush('list', 'x', 'y');
    expect(await reader.mget('a', 'b')).toEqual(['1', '2']);
    expect(await Promise.all(Array.from({ length: 200 }, () => reader.get('a')))).toEqual(
      Array(200).fill('1'),
    );
    await expect(reader.set('a', '2')).rejects.toThrow('READONLY');

    const member = await follower();
    const direct = deployment.client(member.port);
    await direct.mset('a', 'other', 'only-here', 'x');
    await direct.rpush('list', 'z');
    await redis.pexpire('b', 1_000_000);
    expect(await reader.get('a')).toBe('1');
    const isRepaired = async () =>
      (await direct.get('a')) === '1' &&
      (await direct.exists('only-here')) === 0 &&
      (await direct.lrange('list', 0, -1)).join() === 'x,y';
    await waitFor(isRepaired, { what: 'the member to be repaired', withinMs: 60_000, everyMs: 200 });
    await waitFor(() => textOf('mirror-repaired') !== undefined, { what: 'the event', withinMs: 20_000 });
    expect(textOf('mirror-repaired')).toMatch(/ differed between .*: what .* has was written again$/);

    expect(Number(await redis.pttl('b'))).toBeGreaterThan(900_000);
  });

  test('while one in sync does not say so nothing is read, and then it is again', async () => {
    await up({ ack: 'all', read: 'quorum' }, { hold: '1s' });
    const reader = deployment.client(deployment.ports.replica);
    await deployment.client().set('a', '1');
    expect(await reader.get('a')).toBe('1');
    const { pid } = await follower();
    const agent = deployment.agentPid();
    // Nobody leaves it out: so writes would wait for it, and reads do.
    process.kill(agent, 'SIGSTOP');
    process.kill(pid as number, 'SIGSTOP');
    try {
      const refused = /^NOQUORUM redis-\d answered, and .*: nothing is read$/;
      // One that the gate has sent, of each kind: none is sent again, or taken for what its server was lost by.
      const sent = [reader.get('a'), reader.mget('a', 'b'), reader.lrange('list', 0, -1)];
      for (const each of await Promise.allSettled(sent))
        expect(each).toMatchObject({
          status: 'rejected',
          reason: { message: expect.stringMatching(refused) },
        });
      await expect(reader.get('a')).rejects.toThrow('NOQUORUM');
    } finally {
      process.kill(pid as number, 'SIGCONT');
      process.kill(agent, 'SIGCONT');
    }
    const reads = async () => (await reader.get('a').catch(() => null)) === '1';
    await waitFor(reads, { what: 'reads to go on', withinMs: 20_000 });
  });
});

describe.skipIf(whyNotUsual !== null)('onSplit: serve', () => {
  test('what a replaced lead alone had is kept before it is emptied', async () => {
    await up({ ack: 'one', onSplit: 'serve' });
    const old = await deployment.primary();
    await deployment.client().set('both', '1');
    const is = deployment.client((await follower()).port);
    await waitFor(async () => (await is.get('both')) === '1', {
      what: 'the follower to have it',
      withinMs: 10_000,
    });
    const streams = workersOf(deployment.agentPid(), 'mirror/member-worker.js');
    for (const pid of streams) process.kill(pid, 'SIGSTOP');
    await deployment.client().mset('own', 'x', 'both', '2');
    process.kill(old.pid as number, 'SIGKILL');
    await deployment.waitForStatus(
      'another to lead',
      ({ primary }) => primary !== null && primary !== old.id,
    );
    await deployment.waitForStatus('both in sync', ({ state, members }) => {
      return state === 'healthy' && members.every(({ role, linkUp }) => role === 'primary' || linkUp);
    });
    expect(await deployment.client().mget('own', 'both')).toEqual([null, '1']);
    const text = textOf('mirror-diverged') ?? '';
    const [, file = ''] = /is kept in (\S+)$/.exec(text) ?? [];
    expect(text).toContain('had 2 keys');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const said = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as {
      keys: number;
      listed: { key: string }[];
    };
    expect(said.keys).toBe(2);
    expect(said.listed.map(({ key }) => key).toSorted()).toEqual(["'both'", "'own'"]);

    const member = await follower();
    const direct = deployment.client(member.port);
    await direct.mset('both', 'other', 'only-here', 'x');
    const found = await deployment.run('mirror', ['diff', member.id]);
    expect(found).toMatchObject({ status: 1, stdout: expect.stringContaining('2 differ, 0 repaired') });
    expect(await deployment.run('mirror', ['diff', member.id, '--repair'])).toMatchObject({ status: 0 });
    expect(await direct.mget('both', 'only-here')).toEqual(['1', null]);
    expect(await deployment.run('mirror', ['diff', (await deployment.primary()).id])).toMatchObject({
      ...{ status: 2, stderr: expect.stringContaining('leads') },
    });
  });
});
