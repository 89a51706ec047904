/**
 * Servers reached by ssh with an authority of their own: brought up, refused what is foreign, renewed under load. Minutes:
 * npm test -- --whole.
 */
import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { makeCertificates } from '../support/certificates.ts';
import { allCounted, writeFleetSpec, writeLoad } from '../support/fleet.ts';
import { SshServers } from '../support/ssh-servers.ts';
import { farOff, farOffWait, whyNotUsual } from '../support/whole-run.ts';

const hosts = ['a', 'b', 'c'];
const skipped = whyNotUsual ?? whyNoNetworkHosts();
const timeout = farOff;

describe.skipIf(skipped !== null)('servers reached by ssh speak TLS only', () => {
  let servers: SshServers;
  const own = () => path.join(servers.folder, 'orders.tls');
  const there = '/etc/holdfast/orders.secrets';

  beforeAll(async () => {
    servers = new SshServers(hosts);
    await servers.start();
    writeFleetSpec(servers, { on: hosts, more: { security: { tls: 'auto' } } });
    const { status, stderr } = await servers.holdfast(['apply', '--yes']);
    expect(stderr).not.toContain('error');
    expect(status).toBe(0);
  }, timeout);
  afterAll(() => servers?.destroy(), timeout);

  /** The serial number of the certificate at a port, seen from its host; empty when the authority did not make it. */
  function serialAt(host: string, port: number): string {
    const at = `${servers.network.addressOf(host)}:${port}`;
    const shown = `openssl s_client -connect ${at} -CAfile ${there}/tls-ca.pem -verify_return_error </dev/null 2>/dev/null`;
    return servers.on(host, `${shown} | openssl x509 -noout -serial || true`).trim();
  }
  const ports = [6379, 26379, 6380];
  const serials = () =>
    hosts.flatMap((host) => ports.slice(0, host === 'c' ? 2 : 3).map((port) => serialAt(host, port)));

  async function isWhole(): Promise<void> {
    const { stdout } = await servers.holdfast(['status', '--json']);
    expect((JSON.parse(stdout) as Status).state).toBe('healthy');
    expect((await servers.holdfast(['apply', '--yes'])).stdout).toContain('Nothing to do');
  }

  test('each host has a certificate of its own; the key of the authority is on none', {
    timeout,
  }, async () => {
    await isWhole();
    const all = serials();
    expect(all).not.toContain('');
    expect(new Set(all).size).toBe(3);
    const key = readFileSync(path.join(own(), 'ca.key'), 'utf8').split('\n')[1] as string;
    expect(statSync(path.join(own(), 'ca.key')).mode & 0o777).toBe(0o600);
    for (const host of hosts) {
      // By standard input: as an argument it would be seen, here too.
      expect(servers.on(host, 'grep -rlF -f - /etc/holdfast /var/lib/holdfast || true', `${key}\n`)).toBe('');
      expect(servers.on(host, `stat -c '%a %U' ${there}/tls-host.pem`)).toBe('600 holdfast\n');
    }
  });

  test('a plain client and one with a certificate of another authority are refused', () => {
    const other = makeCertificates(servers.folder);
    const address = servers.network.addressOf('b');
    const ping = (options: string) =>
      servers.on('b', `redis-cli -h ${address} -p 6379 ${options} PING 2>&1 || true`);
    expect(ping(`--tls --cacert ${there}/tls-ca.pem`)).toContain('NOAUTH');
    expect(ping('')).not.toMatch(/NOAUTH|PONG/);
    const foreign = ping(`--tls --cacert ${there}/tls-ca.pem --cert ${other.cert} --key ${other.key}`);
    expect(foreign).not.toMatch(/NOAUTH|PONG/);
  });

  test('renewed under load: no client notices, and every server has the new one', { timeout }, async () => {
    const before = serials();
    const load = await writeLoad(servers, 'b');
    const { stdout, stderr, status } = await servers.holdfast(['certs', 'renew', '--yes']);
    expect(stderr).not.toContain('error');
    expect(status).toBe(0);
    expect(stdout).toContain('restart sentinel-1');
    await expect
      .poll(() => serials().filter((each) => before.includes(each)), { timeout: farOffWait })
      .toEqual([]);
    await allCounted(load);
    await isWhole();
  });

  test('without the authority’s folder apply refuses, and makes no other', { timeout }, async () => {
    renameSync(own(), `${own()}-kept`);
    const { status, stderr } = await servers.holdfast(['apply', '--yes']);
    expect(status).toBe(2);
    expect(stderr).toContain('the authority’s key is not in');
    expect(readdirSync(servers.folder)).not.toContain('orders.tls');
    renameSync(`${own()}-kept`, own());
    await isWhole();
  });
});
