/** An apply that is killed, cut off, put to sleep or has no disk, and is taken up again. Minutes: npm test -- --whole. */
import type { ChildProcess } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { waitFor } from '../../src/base/retry.ts';
import { childrenOf } from '../../src/process/stat.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { allCounted, redisServer, saysOn, writeFleetSpec, writeLoad } from '../support/fleet.ts';
import { ended } from '../support/laptop.ts';
import { SshServers } from '../support/ssh-servers.ts';
import { farOff, farOffWait, whyNotUsual } from '../support/whole-run.ts';

const hosts = ['a', 'b', 'c'];
const skipped = whyNotUsual ?? whyNoNetworkHosts();
const timeout = farOff;
const full = '/etc/holdfast';
const installed = '/etc/holdfast/orders.yaml';
const next = '/opt/redis-next/redis-server';

describe.skipIf(skipped !== null)('an apply that does not come to its end', () => {
  let servers: SshServers;

  beforeAll(async () => {
    servers = new SshServers(hosts);
    await servers.start();
    // A small disk of its own that is to be full. The state's may not be of memory.
    servers.on('c', `mkdir -p ${full} && mount -t tmpfs -o size=1m,mode=755 none ${full}`);
    for (const host of hosts) {
      mkdirSync(servers.fileOn(host, 'opt/redis-next'));
      copyFileSync(redisServer(), servers.fileOn(host, next));
    }
    writeSpec();
  });
  afterAll(() => servers?.destroy(), timeout);

  const writeSpec = (redis: Record<string, unknown> = {}) => writeFleetSpec(servers, { redis, on: hosts });
  const apply = () => servers.holdfast(['apply', '--yes']);
  const begin = () => servers.launch(['apply', '--yes']);

  async function status(): Promise<Status> {
    const { stdout, stderr } = await servers.holdfast(['status', '--json']);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Status;
  }

  async function endsWhole(): Promise<void> {
    const applied = await apply();
    expect(applied.stderr).not.toContain('error');
    expect(applied.status).toBe(0);
    expect((await status()).state).toBe('healthy');
    expect((await apply()).stdout).toContain('Nothing to do');
    for (const host of hosts) {
      const half = `find /etc/holdfast /var/lib/holdfast -name '*.holdfast-new' -o -name '.plan-*'`;
      expect(servers.on(host, half)).toBe('');
    }
  }

  /** Kills the command at each of these, the next going on where it stopped. */
  async function killedAtEach(words: readonly (string | RegExp)[]): Promise<void> {
    for (const word of words) {
      const child = begin();
      await saysOn(child, word);
      child.kill('SIGKILL');
      await ended(child);
    }
  }

  test('killed at each step of the first one', { timeout }, async () => {
    await killedAtEach([
      ...['packing', 'made the user', 'installed holdfast', 'has the secret', /wrote \d+ files/],
      ...['started'],
    ]);
    await endsWhole();
    const secrets = hosts.map((host) => servers.on(host, 'cat /var/lib/holdfast/orders/secret'));
    expect(new Set(secrets).size).toBe(1);
  });

  test('killed at each step of a change that restarts every server, under load', { timeout }, async () => {
    const load = await writeLoad(servers, 'b');
    writeSpec({ maxMemory: '96mb', binary: next });
    await killedAtEach([
      /wrote \d file/,
      'took',
      'restarted',
      'healthy',
      'restarted',
      'healthy',
      'restarted',
    ]);
    await endsWhole();
    await allCounted(load);
    for (const host of hosts)
      expect(servers.on(host, 'readlink /proc/[0-9]*/exe | sort | uniq -c')).toContain('/opt/redis-next/');
  });

  test('a disk that is full on one host', { timeout }, async () => {
    writeSpec({ maxMemory: '80mb', binary: next });
    servers.on('c', `dd if=/dev/zero of=${full}/filler bs=4k 2>/dev/null || true`);
    const { status, stderr } = await apply();
    servers.on('c', `rm ${full}/filler`);
    expect(stderr).toContain('HOST_DISK_FULL');
    expect(stderr).toContain('host c');
    expect(status).toBe(1);
    await endsWhole();
  });

  test('a connection that ends, and a network that is cut', { timeout }, async () => {
    const cuts: [cut: () => void, heal: () => void][] = [
      [() => servers.on('b', 'pkill -KILL -f "^sshd: root"; true'), () => {}],
      [() => servers.network.setCutOff('b', true), () => servers.network.setCutOff('b', false)],
    ];
    for (const [index, [cut, heal]] of cuts.entries()) {
      writeSpec({ maxMemory: `${70 + index}mb`, binary: next });
      const child = begin();
      const end = ended(child);
      await saysOn(child, /wrote \d file/);
      cut();
      const { status, stderr } = await end;
      heal();
      expect(stderr).toMatch(/HOST_UNREACHABLE|APPLY_LOCK_LOST/);
      expect(stderr).toContain('host b');
      expect(status).toBe(1);
      // The lock there is held until the host has noticed, for a minute at most.
      await waitFor(async () => !(await apply()).stderr.includes('APPLY_UNDER_WAY'), {
        what: 'the lock',
        withinMs: farOffWait,
        everyMs: 1000,
      });
      await endsWhole();
    }
  });

  test('a laptop that sleeps does nothing more when it wakes up; another one goes on meanwhile', {
    timeout,
  }, async () => {
    writeSpec({ maxMemory: '64mb', binary: next });
    const sleeper = begin();
    const end = ended(sleeper);
    await saysOn(sleeper, /wrote \d file/);
    const tree = familyOf(sleeper);
    for (const pid of tree) process.kill(pid, 'SIGSTOP');
    const early = await apply();
    expect(early.stderr).toContain('APPLY_UNDER_WAY');
    expect(early.stderr).toContain(`pid ${sleeper.pid}`);
    await waitFor(async () => (await apply()).status === 0, {
      what: 'the lock of a laptop that sleeps to end',
      withinMs: farOffWait,
      everyMs: 2000,
    });
    for (const pid of tree) process.kill(pid, 'SIGCONT');
    const { status, stderr } = await end;
    expect(stderr).toMatch(/APPLY_LOCK_LOST|HOST_UNREACHABLE/);
    expect(status).toBe(1);
    await endsWhole();
  });

  test('a host that dies in the middle of it: what was written is there, and the next one goes on', {
    timeout,
  }, async () => {
    const load = await writeLoad(servers, 'b');
    writeSpec({ maxMemory: '90mb', binary: next });
    const child = begin();
    const end = ended(child);
    await saysOn(child, /wrote \d file/);
    const { errors, value } = await load.stop();
    expect(errors).toEqual([]);
    const { members, primary } = await status();
    const isPrimary = (host: string) => members.some(({ id, ...on }) => id === primary && on.host === host);
    const victim = ['c', 'a'].find((host) => !isPrimary(host)) ?? '';
    await servers.kill(victim);
    const ending = await end;
    await servers.boot(victim);
    expect(ending.stderr).toMatch(/HOST_UNREACHABLE|APPLY_LOCK_LOST|HOST_UNHEALTHY/);
    expect(ending.stderr).toContain(victim);
    expect(ending.status).toBe(1);
    await waitFor(async () => !(await apply()).stderr.includes('APPLY_UNDER_WAY'), {
      what: 'the locks of the other hosts',
      withinMs: farOffWait,
      everyMs: 1000,
    });
    await endsWhole();
    const after = await writeLoad(servers, 'b');
    expect(after.before).toBe(value);
    await after.stop();
  });

  test.each([
    ['another setting', `sed -i 's/maxMemory: .*/maxMemory: 32mb/' ${installed}`],
    ['nothing that can be read', `echo '{ broken' > ${installed}`],
    ['nothing at all', `rm ${installed}`],
    ['rights for everybody', `chmod 666 ${installed}; chown 0:0 ${installed}`],
    [
      'another setting, and the agent there took it up',
      `sed -i 's/maxMemory: .*/maxMemory: 32mb/' ${installed}
      runuser -u holdfast -- holdfast apply ${installed} --state-dir /var/lib/holdfast/orders --yes`,
    ],
  ])('a spec edited by hand on one host: %s', { timeout }, async (_, edit) => {
    servers.on('b', edit);
    const { stdout, stderr } = await servers.holdfast(['apply', '--dry-run']);
    expect(stderr).not.toContain('error');
    expect(stdout).toContain('host b');
    expect(stdout).toContain(installed);
    const load = await writeLoad(servers, 'a');
    await endsWhole();
    await allCounted(load);
    expect(servers.on('b', `cat ${installed}`)).toBe(servers.on('a', `cat ${installed}`));
  });

  function familyOf({ pid }: ChildProcess): number[] {
    const found = [pid as number];
    for (const each of found) found.push(...childrenOf(each));
    return found;
  }
});
