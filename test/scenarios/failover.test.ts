import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';
import { WriteLoad } from '../support/write-load.ts';

describe('failover', () => {
  let deployment: TestDeployment;

  beforeAll(async () => {
    // A script that runs for long answers no Sentinel either, and must not be taken for a lost host on a slow machine.
    deployment = await TestDeployment.up({ agent: { hangAfter: '2s' }, sentinel: { detectAfter: '10s' } });
    await deployment.waitUntilHealthy();
  });
  afterAll(() => deployment?.destroy());

  const promotions = () => deployment.events().filter(({ kind }) => kind === 'primary').length;

  test('kill -9 of the primary, three times: one promotion each, no client is dropped, the old one comes back', async () => {
    const load = new WriteLoad(Array.from({ length: 8 }, () => deployment.client()));
    for (let round = 1; round <= 3; round++) {
      const before = promotions();
      const old = await deployment.primary();
      process.kill(old.pid as number, 'SIGKILL');
      const status = await deployment.waitForStatus(
        'the old primary to be a replica of the new one',
        ({ state, primary, members }) =>
          state === 'healthy' &&
          primary !== old.id &&
          members.find(({ id }) => id === old.id)?.role === 'replica',
      );
      expect(status.primary).not.toBe(old.id);
      await waitFor(() => promotions() > before, { what: 'the Sentinels’ word', withinMs: 60_000 });
      expect(promotions()).toBe(before + 1);
    }
    const report = await load.stop();
    expect(report.dropped).toBe(0);
    expect([...report.errors.keys()].filter((word) => word !== 'UNCERTAIN')).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(100);
  });

  test('kill -STOP of the primary: it is killed at once, and another takes over', async () => {
    await deployment.waitUntilHealthy();
    const client = deployment.client();
    const old = await deployment.primary();
    process.kill(old.pid as number, 'SIGSTOP');
    const status = await deployment.waitForStatus(
      'another primary',
      ({ primary, state }) => primary !== old.id && state === 'healthy',
    );
    expect(status.members.find(({ id }) => id === old.id)?.role).toBe('replica');
    expect(await client.set('after-the-hang', '1')).toBe('OK');
    const kill = deployment.events().find(({ kind, subject }) => kind === 'killed' && subject === old.id);
    expect(kill?.text).toContain('stopped by a signal');
  });

  test('a script that runs for longer than hangAfter is no hang: nobody is killed for it', async () => {
    await deployment.waitUntilHealthy();
    const { port, pid } = await deployment.primary();
    const kills = () => deployment.events().filter(({ kind }) => kind === 'killed').length;
    const before = kills();
    const script =
      "local function now() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end " +
      'local from = now() while now() - from < 2600000 do end return 1';
    await deployment.client(port).eval(script, 0);
    expect((await deployment.waitUntilHealthy()).members.map((member) => member.pid)).toContain(pid);
    expect(kills()).toBe(before);
  });

  test('a server that is paused for longer than hangAfter is no hang either', async () => {
    await deployment.waitUntilHealthy();
    const { port, pid } = await deployment.primary();
    const kills = () => deployment.events().filter(({ kind }) => kind === 'killed').length;
    const before = kills();
    await deployment.client(port).call('CLIENT', 'PAUSE', '5000', 'ALL');
    // It is kept until the pause is over.
    await deployment.client(port).set('after-the-pause', '1');
    expect((await deployment.waitUntilHealthy()).members.map((member) => member.pid)).toContain(pid);
    expect(kills()).toBe(before);
  });

  test('kill -9 of a replica and of a Sentinel: restarted, nobody is promoted', async () => {
    const before = promotions();
    const { members, sentinels } = await deployment.waitUntilHealthy();
    const replica = members.find(({ role }) => role === 'replica');
    process.kill(replica?.pid as number, 'SIGKILL');
    process.kill(sentinels[0]?.pid as number, 'SIGKILL');
    const status = await deployment.waitForStatus(
      'both to be back',
      ({ state, members: now, sentinels: all }) =>
        state === 'healthy' &&
        now.find(({ id }) => id === replica?.id)?.pid !== replica?.pid &&
        all[0]?.pid !== sentinels[0]?.pid,
    );
    expect(status.state).toBe('healthy');
    expect(promotions()).toBe(before);
  });

  test('kill -9 of the gate: it is restarted', async () => {
    const { gates } = await deployment.waitUntilHealthy();
    process.kill(gates[0]?.pid as number, 'SIGKILL');
    await deployment.waitForStatus(
      'the gate to be back',
      ({ state, gates: now }) => state === 'healthy' && now[0]?.pid !== gates[0]?.pid,
    );
    expect(await deployment.client().set('through-the-new-gate', '1')).toBe('OK');
  });

  test('paused: a dead replica stays down until resume', async () => {
    expect((await deployment.run('pause')).status).toBe(0);
    const { members } = await deployment.waitForStatus('the pause', ({ paused }) => paused);
    const replica = members.find(({ role }) => role === 'replica');
    process.kill(replica?.pid as number, 'SIGKILL');
    await deployment.waitForStatus(
      'the replica to be down',
      ({ members: now }) => now.find(({ id }) => id === replica?.id)?.state === 'down',
    );
    const after = await deployment.status();
    expect(after.members.find(({ id }) => id === replica?.id)?.pid).toBeNull();
    expect((await deployment.run('resume')).status).toBe(0);
    await deployment.waitUntilHealthy();
  });

  test('failover on request', async () => {
    const old = await deployment.primary();
    const result = await deployment.json<{ from: string; to: string }>('failover');
    expect(result.from).toBe(old.id);
    expect(result.to).not.toBe(old.id);
    await deployment.waitUntilHealthy();
  });
});

test('a member that keeps dying is given up after its budget, with an event, and restart forgives it', async () => {
  const deployment = await TestDeployment.up({ agent: { restarts: { limit: 2, within: '1m' } } });
  try {
    const killReplica = async () => {
      const { members } = await deployment.status();
      const replica = members.find(({ id }) => id === 'redis-3');
      if (replica?.state === 'failed') return true;
      if (replica?.pid) process.kill(replica.pid, 'SIGKILL');
      return false;
    };
    await waitFor(killReplica, { what: 'redis-3 to be given up', withinMs: 60_000, everyMs: 100 });
    const events = deployment.events().filter(({ subject }) => subject === 'redis-3');
    expect(events.filter(({ kind }) => kind === 'restart')).toHaveLength(2);
    expect(events.filter(({ kind }) => kind === 'failed')).toHaveLength(1);
    const status = await deployment.run('status');
    expect(status.status).toBe(3);
    expect(status.stdout).toContain('redis-3 is failed');
    expect((await deployment.run('restart', ['redis-3'])).status).toBe(0);
    await deployment.waitUntilHealthy();
  } finally {
    await deployment.destroy();
  }
});
