/**
 * Servers and Sentinels of three hosts, started by hand as the packages do, become a deployment by one command from a laptop,
 * under load: no process restarts and no client notices. Minutes: npm test -- --whole.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { waitFor } from '../../src/base/retry.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { plainClient, startPlain, whoRuns, writePlainSpec } from '../support/plain-fleet.ts';
import { SshServers } from '../support/ssh-servers.ts';
import { farOff, farOffWait, whyNotUsual } from '../support/whole-run.ts';
import { WriteLoad } from '../support/write-load.ts';

const hosts = ['a', 'b', 'c'];
const skipped = whyNotUsual ?? whyNoNetworkHosts();

describe.skipIf(skipped !== null)('adopt on hosts reached by ssh', () => {
  let servers: SshServers;

  beforeAll(async () => {
    servers = new SshServers(hosts);
    await servers.start();
    await startPlain(servers);
  }, farOff);
  afterAll(() => servers?.destroy(), farOff);

  const adopt = (...more: string[]) =>
    servers.holdfast(['adopt', '--password-file', 'default.password', ...more]);

  async function status(): Promise<Status> {
    const { stdout, stderr } = await servers.holdfast(['status', '--json']);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Status;
  }

  test('a look installs nothing, and says as whom everything has to run', async () => {
    await writePlainSpec(servers);
    const asOther = await adopt('--dry-run');
    expect(asOther.stderr).toContain(
      'redis-1 on host host-1 runs as redis, and the spec says runAs: holdfast',
    );
    await writePlainSpec(servers, { runAs: 'redis' });
    const dry = await adopt('--dry-run');
    expect(dry.stderr).not.toContain('error');
    expect(dry.stdout).toContain('Nothing that runs is touched by this');
    for (const host of hosts)
      expect(servers.on(host, 'ls -d /opt/* /etc/holdfast 2>/dev/null || true')).toBe('');
  });

  test('one command takes all of it over under load, and the next finds nothing to do', {
    timeout: farOff,
  }, async () => {
    const before = whoRuns(servers);
    const load = new WriteLoad([await plainClient(servers, 'a'), await plainClient(servers, 'a')]);
    const { stderr, stdout, status: code } = await adopt('--yes');
    expect(stderr).not.toContain('error');
    expect([code, stdout]).toEqual([0, expect.stringContaining('what ran runs on')]);
    expect(whoRuns(servers)).toEqual(before);
    const { state, primary, epoch, members } = await status();
    expect({ state, primary, epoch }).toEqual({ state: 'healthy', primary: 'redis-1', epoch: 0 });
    expect(members.map(({ role }) => role)).toEqual(['primary', 'replica', 'replica']);
    const { errors, dropped, acknowledged } = await load.stop();
    expect([[...errors], dropped]).toEqual([[], 0]);
    expect(acknowledged).toBeGreaterThan(0);
    expect((await servers.holdfast(['apply', '--yes'])).stdout).toContain('Nothing to do');
    expect((await adopt('--yes')).stdout).toContain("is holdfast's already on every host");
    expect(whoRuns(servers)).toEqual(before);
    const primaryNow = await plainClient(servers, 'a');
    expect(await primaryNow.call('WAIT', 2, 10_000)).toBe(2);
    servers.on('a', 'pkill -KILL -x redis-server');
    const healed = async () => {
      const now = await status();
      return now.state === 'healthy' && now.primary !== 'redis-1' ? now : undefined;
    };
    await waitFor(healed, { what: 'another primary, and everything up', withinMs: farOffWait, everyMs: 300 });
    expect(await load.lost(await plainClient(servers, 'b', 6380))).toEqual([]);
    for (const host of hosts) {
      const known = servers.on(host, "grep -c '^sentinel known-sentinel' /etc/redis/sentinel.conf");
      expect(known).toBe('2\n');
    }
  });
});
