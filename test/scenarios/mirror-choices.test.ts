/** What `mirror.onSplit: serve` and `mirror diff` of a member promise, by standalone members that really run. */
import { readFileSync, statSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';
import { workersOf } from '../support/mirror-workers.ts';
import { whyNotUsual } from '../support/whole-run.ts';

let deployment: TestDeployment;
afterEach(() => deployment?.destroy());

async function up(mirror: Record<string, string>): Promise<void> {
  deployment = await TestDeployment.create({ redis: { members: 2 } });
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
