/** Servers reached by ssh, from a laptop: each a network namespace with an sshd and a root of its own. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { waitFor } from '../../src/base/retry.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { allCounted, leftBehind, otherServer, saysOn, writeFleetSpec, writeLoad } from '../support/fleet.ts';
import { ended } from '../support/laptop.ts';
import { SshServers } from '../support/ssh-servers.ts';
import { farOff, farOffWait, isWhole } from '../support/whole-run.ts';

const hosts = ['a', 'b', 'c'];
const why = whyNoNetworkHosts();
/** A machine that has two cores and nothing else to do takes less than a minute; one that does other things has three. */
const slowestSeconds = 180;
const next = otherServer();
/** Each takes minutes, and is a variant of what an apply does in the others. */
const whole = test.runIf(isWhole);

describe.skipIf(why !== null)(`servers reached by ssh${why === null ? '' : `: skipped, ${why}`}`, () => {
  let servers: SshServers;

  beforeAll(async () => {
    servers = new SshServers([...hosts, 'd']);
    writeSpec();
    await servers.start();
  });
  // Each server has a holdfast of its own to remove, and its files are searched for secrets first.
  afterAll(() => servers?.destroy(), farOff);

  function writeSpec(user = 'root', redis: Record<string, unknown> = {}, on = hosts): void {
    writeFleetSpec(servers, { user, redis, on });
  }

  test('a host whose key is not known, or is another, is refused, and the error says what to do', async () => {
    servers.setKnown([...hosts, 'd'], () => 'd');
    expect((await servers.holdfast(['switchover'])).stderr).toContain('HOST_KEY_CHANGED');
    servers.setKnown(['d']);
    const { status, stderr } = await servers.holdfast(['status']);
    expect(status).toBe(1);
    expect(stderr).toContain('HOST_KEY_UNKNOWN');
    expect(stderr).toContain('Connect once by hand: ssh root@10.77.0.1');
    servers.setKnown([...hosts, 'd']);
  });

  test('a user who is not root and has no sudo is told so', async () => {
    writeSpec('plain');
    const { status, stderr } = await servers.holdfast(['switchover']);
    expect(status).toBe(1);
    expect(stderr).toContain('NO_SUDO');
    writeSpec('nobody-here');
    expect((await servers.holdfast(['switchover'])).stderr).toContain('SSH_LOGIN_REFUSED');
    writeSpec();
  });

  test('hosts on which nothing was installed are told as that', async () => {
    const { status, stderr } = await servers.holdfast(['status']);
    expect(status).toBe(1);
    expect(stderr).toContain('NO_AGENT_ANSWERS');
    expect(stderr).toContain('holdfast apply sets the hosts up');
  });

  const apply = (...more: string[]) => servers.holdfast(['apply', '--yes', ...more]);

  async function status(): Promise<Status> {
    const { stdout, stderr } = await servers.holdfast(['status', '--json']);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Status;
  }

  test('apply brings up three hosts on which nothing is, and no failover comes of it', async () => {
    const dry = await servers.holdfast(['apply', '--dry-run']);
    expect(dry.stdout).toContain('make the user holdfast');
    expect(servers.on('a', 'ls /opt /var/lib/holdfast /etc/holdfast 2>/dev/null || true')).not.toContain(
      'orders',
    );
    let tookSeconds = 0;
    const killed = servers.launch(['apply', '--yes']);
    await saysOn(killed, 'made the user');
    expect(leftBehind(killed)).toHaveLength(2);
    killed.kill('SIGTERM');
    expect((await ended(killed)).status).toBe(143);
    expect(leftBehind(killed)).toEqual([]);
    const beganMs = performance.now();
    const first = servers.launch(['apply', '--yes']);
    const firstEnds = ended(first).finally(() => {
      tookSeconds = (performance.now() - beganMs) / 1000;
    });
    await saysOn(first, 'packing');
    const second = await apply();
    expect(second.status).toBe(1);
    expect(second.stderr).toContain('APPLY_UNDER_WAY');
    const { status: code, stderr } = await firstEnds;
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    console.log(`apply brought up three hosts in ${tookSeconds.toFixed(1)} s`);
    expect(tookSeconds).toBeLessThan(slowestSeconds);
    const { state, primary, epoch } = await status();
    expect({ state, primary, epoch }).toEqual({ state: 'healthy', primary: 'redis-1', epoch: 0 });
  });

  test('a second apply finds nothing to do, and all have the same secret, for holdfast alone', async () => {
    const again = await apply('--json');
    expect(again.status).toBe(0);
    const { plan } = JSON.parse(again.stdout) as {
      plan: { prepare: { steps: unknown[] }[]; turns: unknown[] };
    };
    expect(plan.turns).toEqual([]);
    expect(plan.prepare.flatMap(({ steps }) => steps)).toEqual([]);
    const secret = readFileSync(servers.fileOn('a', 'var/lib/holdfast/orders/secret'), 'utf8').trim();
    for (const host of hosts) {
      expect(servers.on(host, 'stat -c "%a %U" /var/lib/holdfast/orders/secret')).toBe('600 holdfast\n');
      expect(readFileSync(servers.fileOn(host, 'var/lib/holdfast/orders/secret'), 'utf8').trim()).toBe(
        secret,
      );
    }
  });

  whole('logs of all hosts come by time, of one process or all, and go on', async () => {
    const all = await servers.holdfast(['logs', '--last', '10000', '--json']);
    const lines = JSON.parse(all.stdout) as { at: string; process: string; text: string }[];
    expect(lines.map(({ at }) => at)).toEqual(lines.map(({ at }) => at).toSorted());
    const whose = new Set(lines.map((line) => line.process));
    for (const each of ['redis-1', 'sentinel-3', 'gate-2', 'agent on b']) expect(whose).toContain(each);
    const one = await servers.holdfast(['logs', 'redis-3']);
    expect(one.stdout).toContain('MASTER <-> REPLICA sync: Finished with success');
    expect(one.stdout).not.toContain('redis-1');
    const unknown = await servers.holdfast(['logs', 'redis-9']);
    expect(unknown.stderr).toContain("orders has no process 'redis-9'");
    const follow = servers.launch(['logs', 'agent', '--follow', '--last', '1']);
    await saysOn(follow, 'agent on c', 'stdout');
    const heard = saysOn(follow, /agent on c\s+automatic actions paused/, 'stdout');
    expect((await servers.holdfast(['pause'])).status).toBe(0);
    await heard;
    follow.kill('SIGINT');
    expect((await ended(follow)).status).toBe(130);
    expect(leftBehind(follow)).toEqual([]);
    await servers.holdfast(['resume']);
  });

  whole(
    'a token that was made from the laptop is valid on every host, and a file from there is restored',
    async () => {
      const made = await servers.holdfast(['token', 'make', 'alice', '--role', 'read', '--json']);
      expect(made.stderr).not.toContain('error');
      const { token } = JSON.parse(made.stdout) as { token: string };
      const digest = createHash('sha256').update(token).digest('hex');
      const kept = (host: string) =>
        readFileSync(servers.fileOn(host, 'var/lib/holdfast/orders/tokens.json'), 'utf8');
      for (const host of hosts) expect(kept(host)).toContain(digest);
      expect((await servers.holdfast(['token', 'revoke', 'alice'])).status).toBe(0);
      for (const host of hosts) expect(kept(host)).not.toContain(digest);
      // One key, k = v, and no checksum.
      const rdb = path.join(servers.folder, 'some.rdb');
      writeFileSync(rdb, Buffer.from('REDIS0009\xfe\x00\x00\x01k\x01v\xff\0\0\0\0\0\0\0\0', 'latin1'));
      const restored = await servers.holdfast(['restore', rdb]);
      expect(restored.stderr).not.toContain('error');
      expect(restored.status).toBe(0);
      expect(servers.on('a', 'ls -A /var/lib/holdfast/orders/scratch')).toBe('');
    },
  );

  whole('maxMemory changes while the servers run', async () => {
    const pids = (await Promise.all(hosts.map(pidOfRedis))).join();
    writeSpec('root', { maxMemory: '96mb' });
    const { stdout, stderr } = await apply();
    expect(stdout).toContain('redis-1: maxmemory 64mb → 96mb, while it runs');
    expect(stderr).not.toContain('error');
    expect((await Promise.all(hosts.map(pidOfRedis))).join()).toBe(pids);
  });

  whole(`${next.name} is rolled under load, and no client notices`, { timeout: farOff }, async () => {
    for (const host of servers.names) {
      mkdirSync(servers.fileOn(host, path.dirname(next.there)));
      copyFileSync(next.binary, servers.fileOn(host, next.there));
    }
    writeSpec('root', later);
    const load = await writeLoad(servers, 'b');
    const restarted = await apply();
    expect(restarted.stderr).not.toContain('error');
    expect(restarted.stdout).toContain('The primary moves to another member before its server restarts');
    await allCounted(load);
    for (const host of hosts) {
      const exe = `readlink /proc/${(await pidOfRedis(host)).slice(1)}/exe`;
      expect(servers.on(host, exe)).toBe(`${next.there}\n`);
    }
  });

  whole('the primary’s host is lost, and its disk: apply says so, then brings it back', async () => {
    const before = await status();
    const { host: lost = '' } = before.members.find(({ id }) => id === before.primary) ?? {};
    servers.network.setCable(lost, 'out');
    await servers.kill(lost);
    const elsewhere = async () => ![null, before.primary].includes((await status()).primary);
    await waitFor(elsewhere, { what: 'another primary', withinMs: farOffWait, everyMs: 500 });
    const gone = await apply();
    expect(gone.status).toBe(1);
    expect(gone.stderr).toContain('HOST_UNREACHABLE');
    expect(gone.stderr).toContain(`host ${lost}`);
    for (const folder of ['opt/holdfast', 'var/lib/holdfast', 'etc/holdfast'])
      rmSync(servers.fileOn(lost, folder), { recursive: true });
    servers.network.setCable(lost, 'in');
    await servers.boot(lost);
    const back = await apply();
    expect(back.stderr).not.toContain('error');
    expect(back.status).toBe(0);
    const { state, primary } = await status();
    expect(state).toBe('healthy');
    expect(primary).not.toBe(before.primary);
  });

  whole(
    'a fourth host joins and the first one goes, under load: no client notices',
    {
      timeout: farOff,
    },
    async () => {
      const load = await writeLoad(servers, 'b');
      const on = ['b', 'c', 'd'];
      writeSpec('root', later, on);
      const { stdout, stderr } = await apply();
      expect(stderr).not.toContain('error');
      expect(stdout).toContain('1. redis-4, sentinel-4 on host d: joins');
      await allCounted(load);
      const { state, members, sentinels } = await status();
      expect(state).toBe('healthy');
      expect(members.map(({ id, host }) => `${id} ${host}`)).toEqual(['redis-2 b', 'redis-3 c', 'redis-4 d']);
      expect(sentinels.map(({ id }) => id)).toEqual(['sentinel-2', 'sentinel-3', 'sentinel-4']);
      const left =
        'ls /etc/holdfast /var/lib/holdfast | grep -o "^orders.[a-z]*"; pgrep -c redis-server || true';
      expect(servers.on('a', left)).toBe('orders.left\n0\n');
      expect((await apply()).stdout).toContain('Nothing to do');
    },
  );

  whole(
    'hosts go back to the holdfast that they had before and forward again, under load, and hooks hear of it',
    async () => {
      const on = ['b', 'c', 'd'];
      for (const host of on) {
        servers.on(
          host,
          'cd /opt/holdfast && cp -al "$(readlink current)" 0.0.9-old && ln -sfn 0.0.9-old previous',
        );
      }
      const hooks = path.join(servers.folder, 'hooks');
      mkdirSync(hooks);
      for (const name of ['before', 'after']) {
        const text = `#!/bin/sh\necho ${name} $HOLDFAST_NAME $HOLDFAST_RESULT >> said\n`;
        writeFileSync(path.join(hooks, `${name}-apply`), text, { mode: 0o755 });
      }
      const present = servers.on('b', 'readlink /opt/holdfast/current').trim();
      const load = await writeLoad(servers, 'b');
      const { stdout, stderr } = await apply('--rollback');
      expect(stderr).not.toContain('error');
      expect(stdout).toContain('go back to holdfast 0.0.9-old');
      expectAgentsOf('0.0.9-old');
      expect(readFileSync(path.join(servers.folder, 'said'), 'utf8')).toBe(
        'before orders\nafter orders applied\n',
      );
      // And forward again: no client notices either.
      const forward = await apply('--rollback');
      expect(forward.stderr).not.toContain('error');
      expectAgentsOf(path.basename(present));
      await allCounted(load);
    },
  );

  whole(
    'a host that is dead for good is forgotten, and one that left comes back as a new one',
    {
      timeout: farOff,
    },
    async () => {
      await servers.kill('d');
      writeSpec('root', later);
      const stuck = await apply();
      expect(stuck.status).toBe(1);
      expect(stuck.stderr).toContain('holdfast apply --forget d');
      expect((await apply('--forget', 'd')).stderr).not.toContain('error');
      const { state, members, sentinels } = await status();
      expect(state).toBe('healthy');
      expect(members.map(({ id, host }) => `${id} ${host}`)).toEqual(['redis-5 a', 'redis-2 b', 'redis-3 c']);
      expect(sentinels.map(({ id }) => id)).toEqual(['sentinel-5', 'sentinel-2', 'sentinel-3']);
      expect((await apply()).stdout).toContain('Nothing to do');
    },
  );

  const later = { maxMemory: '96mb', binary: next.there };

  /** The agents of those hosts run from that folder under /opt/holdfast. */
  function expectAgentsOf(version: string): void {
    for (const host of ['b', 'c', 'd']) {
      const record = servers.fileOn(host, 'var/lib/holdfast/orders/agent.json');
      const { pid } = JSON.parse(readFileSync(record, 'utf8')) as { pid: number };
      expect(servers.on(host, `readlink /proc/${pid}/exe`)).toBe(`/opt/holdfast/${version}/node\n`);
    }
  }

  async function pidOfRedis(host: string): Promise<string> {
    const member = `redis-${hosts.indexOf(host) + 1}`;
    const record = servers.fileOn(host, `var/lib/holdfast/orders/members/${member}/process.json`);
    return `${host}${(JSON.parse(readFileSync(record, 'utf8')) as { pid: number }).pid}`;
  }
});
