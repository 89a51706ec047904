/** `adopt` on each of several hosts: what each runs is taken over there, and what is missing is started there. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { deriveSecrets } from '../../src/spec/secrets.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { HostFleet } from '../support/host-fleet.ts';
import { WriteLoad } from '../support/write-load.ts';

const hosts = ['a', 'b', 'c'];
const why = whyNoNetworkHosts();

describe.skipIf(why !== null)(`adopt on several hosts${why === null ? '' : `: skipped, ${why}`}`, () => {
  let fleet: HostFleet;
  let pid = 0;

  beforeAll(async () => {
    fleet = new HostFleet(hosts, { redis: { on: hosts, persistence: 'none' } });
    const { defaultPassword } = deriveSecrets(fleet.spec, 'not much of a secret', {});
    const folder = path.join(fleet.folder, 'before');
    mkdirSync(folder);
    const [program = '', ...on] = fleet.network.on('a');
    const settings = [
      '--port',
      '6379',
      '--dir',
      folder,
      '--save',
      '',
      '--requirepass',
      defaultPassword ?? '',
    ];
    const child = spawn(program, [...on, 'redis-server', ...settings], { stdio: 'ignore' });
    pid = child.pid ?? 0;
    const redis = await fleet.client('a', 'a', 6379);
    await waitFor(() => redis.ping().catch(() => false), { what: 'the server alone', withinMs: 60_000 });
  });
  afterAll(() => fleet?.destroy());

  const passwordFile = () => path.join(fleet.folder, 'password');
  const adopt = (host: string, ...options: string[]) =>
    fleet.runOn(
      host,
      'adopt',
      [],
      [...['--host', host, '--supervisor-off', '--password-file', passwordFile(), ...options]],
    );

  test('a server alone gets replicas, Sentinels and gates on other hosts, and another secret is noticed', async () => {
    const { defaultPassword } = deriveSecrets(fleet.spec, 'not much of a secret', {});
    writeFileSync(passwordFile(), defaultPassword ?? '', { mode: 0o600 });
    const load = new WriteLoad([await fleet.client('b', 'a', 6379)]);
    const first = await adopt('a', '--yes');
    expect(first.stderr).not.toContain('error');
    expect(first.stdout).toContain('The same is to be done on the others, where it was not yet: b, c.');
    expect(first.stderr).toContain('min-replicas-to-write waits for replicas on the other hosts');
    fleet.writeSecret('another secret altogether');
    const stranger = await adopt('b', '--dry-run');
    expect(stranger.stderr).toContain('passwords of another secret than that of this host would give it');
    fleet.writeSecret('not much of a secret');
    for (const host of ['b', 'c']) {
      const next = await adopt(host, '--yes');
      expect(next.stderr).not.toContain('error');
      expect(next.status).toBe(0);
    }
    const { members, primary, epoch } = await fleet.waitUntilHealthy();
    expect({ primary, epoch }).toEqual({ primary: 'redis-1', epoch: 0 });
    expect(members.map(({ role }) => role)).toEqual(['primary', 'replica', 'replica']);
    expect(fleet.pidOf('a', 'members/redis-1/process.json')).toBe(pid);
    expect((await fleet.run('a', 'apply', ['--yes'])).stdout).toContain('min-replicas-to-write');
    const { errors, dropped, acknowledged } = await load.stop();
    expect([[...errors], dropped]).toEqual([[], 0]);
    expect(acknowledged).toBeGreaterThan(0);
    const written = await fleet.client('b', 'a', 6379);
    expect(await written.call('WAIT', 2, 10_000)).toBe(2);
    process.kill(pid, 'SIGKILL');
    await fleet.waitForStatus(
      'b',
      'another primary, and the old one as its replica',
      ({ state, primary: now }) => {
        return state === 'healthy' && now !== 'redis-1';
      },
    );
    expect(await load.lost(await fleet.client('b', 'b', 6380))).toEqual([]);
  });
});
