/** The passwords of servers reached by ssh are changed while everything runs. Minutes: npm test -- --whole. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets, type Secrets } from '../../src/spec/secrets.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { allCounted, saysOn, writeFleetSpec, writeLoad } from '../support/fleet.ts';
import { ended } from '../support/laptop.ts';
import { SshServers } from '../support/ssh-servers.ts';
import { farOff, whyNotUsual } from '../support/whole-run.ts';

const hosts = ['a', 'b', 'c'];
const skipped = whyNotUsual ?? whyNoNetworkHosts();
const timeout = farOff;

describe.skipIf(skipped !== null)('the secret of servers reached by ssh is changed', () => {
  let servers: SshServers;

  beforeAll(async () => {
    servers = new SshServers(hosts);
    await servers.start();
    writeFleetSpec(servers, { on: hosts });
    const { status, stderr } = await servers.holdfast(['apply', '--yes']);
    expect(stderr).not.toContain('error');
    expect(status).toBe(0);
  }, timeout);
  afterAll(() => servers?.destroy(), timeout);

  const rotate = (...more: string[]) => servers.holdfast(['rotate', 'secret', '--yes', ...more]);
  const state = '/var/lib/holdfast/orders';

  function secretsOn(host: string): Secrets {
    const spec = parseSpec(servers.on(host, 'cat /etc/holdfast/orders.yaml'), 'orders.yaml');
    return deriveSecrets(spec, servers.on(host, `cat ${state}/secret`).trim(), {});
  }

  /** What each server of a host says to a login with a password of that secret. */
  function logins(host: string, { own, sentinelPassword, defaultPassword }: Secrets): string[] {
    const ask = (port: number, user: string, password: string | null) =>
      servers
        .on(host, `redis-cli -h ${servers.network.addressOf(host)} -p ${port}`, `AUTH ${user} ${password}\n`)
        .split(' ')[0]!
        .trim();
    return [
      ...(['agent', 'gate', 'replication', 'sentinel'] as const).map((user) =>
        ask(6379, `holdfast-${user}`, own[user]),
      ),
      ask(6379, 'default', defaultPassword),
      ask(26379, 'default', sentinelPassword),
    ];
  }

  async function isWhole(): Promise<void> {
    const { stdout } = await servers.holdfast(['status', '--json']);
    expect((JSON.parse(stdout) as Status).state).toBe('healthy');
    const again = await servers.holdfast(['apply', '--yes']);
    expect(again.stdout).toContain('Nothing to do');
  }

  test('under load: no client notices, both are valid, then the old one is no more', {
    timeout,
  }, async () => {
    const before = secretsOn('a');
    const load = await writeLoad(servers, 'b');
    const { status, stderr, stdout } = await rotate();
    expect(stderr).not.toContain('error');
    expect(status).toBe(0);
    expect(stdout).toContain('--finish');
    await allCounted(load);
    const after = secretsOn('a');
    const told = await servers.holdfast(['token', 'client', '--json']);
    const [password, formerPassword] = [after.defaultPassword, before.defaultPassword];
    expect(JSON.parse(told.stdout)).toEqual({ user: 'default', password, formerPassword });
    expect(after.root).not.toBe(before.root);
    for (const host of hosts) {
      expect(secretsOn(host).root).toBe(after.root);
      expect(logins(host, after)).toEqual(Array(6).fill('OK'));
      expect(logins(host, before)).toEqual(Array(6).fill('OK'));
    }
    await isWhole();
    const second = await writeLoad(servers, 'b');
    const finished = await rotate('--finish');
    expect(finished.stderr).not.toContain('error');
    await allCounted(second);
    for (const host of hosts) {
      expect(logins(host, after)).toEqual(Array(6).fill('OK'));
      expect(logins(host, before)).toEqual(Array(6).fill('WRONGPASS'));
      expect(servers.on(host, `ls ${state} | grep secret`)).toBe('secret\n');
    }
    await isWhole();
    const early = await rotate('--finish');
    expect(early.stderr).toContain('no change of the secret is under way');
  });

  test('cut off in each step and taken up again; servers that start anew have the new ones', {
    timeout,
  }, async () => {
    const before = secretsOn('a');
    for (const word of ['valid beside', 'a: healthy', 'are used', 'b: healthy']) {
      const child = servers.launch(['rotate', 'secret', '--yes']);
      await saysOn(child, word);
      child.kill('SIGKILL');
      await ended(child);
    }
    expect((await servers.holdfast(['apply', '--yes'])).stderr).toContain('holdfast rotate secret goes on');
    expect((await rotate()).stderr).not.toContain('error');
    const child = servers.launch(['rotate', 'secret', '--yes', '--finish']);
    await saysOn(child, 'become invalid');
    child.kill('SIGKILL');
    await ended(child);
    expect((await rotate('--finish')).stderr).not.toContain('error');
    const after = secretsOn('a');
    for (const host of hosts) {
      expect(logins(host, after)).toEqual(Array(6).fill('OK'));
      expect(logins(host, before)).toEqual(Array(6).fill('WRONGPASS'));
    }
    const restarted = await servers.holdfast(['restart', '--rolling']);
    expect(restarted.stderr).not.toContain('error');
    await isWhole();
  });
});
