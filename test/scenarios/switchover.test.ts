import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SwitchoverResult } from '../../src/agent/change/switchover.ts';
import { TestDeployment } from '../support/deployment.ts';
import { WriteLoad } from '../support/write-load.ts';

describe('planned changes under load', () => {
  let deployment: TestDeployment;

  beforeAll(async () => {
    deployment = await TestDeployment.up();
    await deployment.waitUntilHealthy();
  });
  afterAll(() => deployment?.destroy());

  async function underLoad(work: () => Promise<void>): Promise<void> {
    const load = new WriteLoad(Array.from({ length: 8 }, () => deployment.client()));
    await work();
    const report = await load.stop();
    expect(report.dropped).toBe(0);
    expect([...report.errors]).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(100);
    expect(await load.lost(deployment.client())).toEqual([]);
    await deployment.client().flushall();
  }

  test('five switchovers: no error, no acknowledged write lost, no connection dropped', async () => {
    await underLoad(async () => {
      for (let round = 0; round < 5; round++) {
        const old = await deployment.primary();
        const result = await deployment.json<SwitchoverResult>('switchover');
        expect(result.from).toBe(old.id);
        expect((await deployment.primary()).id).toBe(result.to);
      }
    });
  });

  test('--to chooses the member, and no priority is touched', async () => {
    const { members } = await deployment.waitUntilHealthy();
    const target = members.filter(({ role }) => role === 'replica').at(-1);
    const result = await deployment.json<SwitchoverResult>('switchover', [], ['--to', target?.id as string]);
    expect(result.to).toBe(target?.id);
    for (const { port } of members) {
      expect(await deployment.client(port).config('GET', 'replica-priority')).toEqual([
        'replica-priority',
        '100',
      ]);
    }
    const again = await deployment.run('switchover', [], ['--to', target?.id as string]);
    expect(again.status).toBe(0);
    expect(again.stdout).toContain('primary already');
  });

  test('a rolling restart: every member has a new process, no error, nothing lost', async () => {
    const before = await deployment.waitUntilHealthy();
    await underLoad(async () => {
      const result = await deployment.run('restart', [], ['--rolling']);
      expect(result.stderr).not.toContain('error');
      expect(result.status).toBe(0);
    });
    const after = await deployment.waitUntilHealthy();
    const pids = new Set(before.members.map(({ pid }) => pid));
    expect(after.members.filter(({ pid }) => pids.has(pid))).toEqual([]);
    expect(after.members.map(({ restarts }) => restarts)).toEqual([0, 0, 0]);
  });

  test('what makes no sense is refused with the reason', async () => {
    const unknown = await deployment.run('switchover', [], ['--to', 'redis-9']);
    expect(unknown.status).toBe(2);
    expect(unknown.stderr).toContain('redis-9');
    const both = await Promise.all([deployment.run('switchover'), deployment.run('switchover')]);
    const statuses = both.map(({ status }) => status).toSorted();
    expect(statuses[0]).toBe(0);
    // Both mean the primary of now. Whichever comes later finds that it is moved, or being moved.
    const refusal = /OPERATION_UNDER_WAY|SWITCHOVER_REFUSED/;
    if (statuses[1] !== 0) expect(both.some(({ stderr }) => refusal.test(stderr))).toBe(true);
  });

  test('what does not pass by waiting is refused at once, with the reason, and nothing is changed', async () => {
    const { members, primary } = await deployment.waitUntilHealthy();
    const replicas = members.filter(({ role }) => role === 'replica');
    const [target, follower] = replicas.map(({ id, port }) => ({ id, client: deployment.client(port) }));
    const refused = async (reason: RegExp, ...args: string[]) => {
      const sinceMs = performance.now();
      const { status, stderr } = await deployment.run('switchover', [], args);
      expect(stderr).toMatch(reason);
      expect(status).toBe(1);
      expect(performance.now() - sinceMs).toBeLessThan(12_000);
      expect((await deployment.primary()).id).toBe(primary);
      const told = deployment.events().findLast(({ kind }) => kind === 'change-failed')?.text;
      expect(told).toMatch(reason);
      expect(told).toContain('(SWITCHOVER_REFUSED)');
    };
    for (const { client } of [target!, follower!]) await client.config('SET', 'replica-priority', '0');
    await refused(/redis-\d has replica-priority 0; redis-\d has replica-priority 0/);
    for (const { client } of [target!, follower!]) await client.config('SET', 'replica-priority', '100');
    await follower!.client.call('ACL', 'SETUSER', 'holdfast-agent', '-replicaof');
    await refused(/does not let the agent say whom it follows \(NOPERM/, '--to', target!.id);
    await follower!.client.call('ACL', 'LOAD');
    await follower!.client.config('SET', 'masterauth', 'changed');
    await refused(/could not follow another primary: .*masterauth/, '--to', target!.id);
    // It loses its link, and could not come back from a restart.
    await deployment.client((await deployment.primary()).port).call('CLIENT', 'KILL', 'TYPE', 'replica');
    await deployment.waitForStatus('it to have no link', ({ members: now }) => {
      return now.some(({ id, state }) => id === follower!.id && state !== 'up');
    });
    const restart = await deployment.run('restart', [], ['--rolling']);
    expect([restart.status, restart.stderr]).toEqual([
      1,
      expect.stringMatching(/no restart: no link .*masterauth/),
    ]);
    const { members: after } = await deployment.status();
    expect(after.map(({ pid }) => pid)).toEqual(members.map(({ pid }) => pid));
    expect((await deployment.run('apply', [], ['--yes'])).status).toBe(0);
    await deployment.waitUntilHealthy();
    expect((await deployment.run('switchover', [], ['--to', target!.id])).status).toBe(0);
  });

  test('apply: the difference is shown, taken without a restart, and kept', async () => {
    deployment.writeSpec({
      redis: { maxMemory: '64mb', maxMemoryPolicy: 'allkeys-lru' },
      sentinel: { failoverTimeout: '20s' },
    });
    const dry = await deployment.run('apply', [], ['--dry-run']);
    expect(dry.status).toBe(0);
    expect(dry.stdout).toMatch(/redis-1 +maxmemory +0 +→ +64mb +now/);
    expect(dry.stdout).toMatch(/sentinel-3 +failover-timeout +12000 +→ +20000 +now/);
    expect((await deployment.run('apply', [], ['--yes'])).status).toBe(0);
    const { members } = await deployment.status();
    for (const { port } of members) {
      expect(await deployment.client(port).config('GET', 'maxmemory')).toEqual([
        'maxmemory',
        String(64 * 2 ** 20),
      ]);
    }
    expect((await deployment.run('apply', [], ['--dry-run'])).stdout).toContain(
      'Everything is as the spec says',
    );
    const unanswered = await deployment.run('apply');
    expect(unanswered.status).toBe(0);
  });
});
