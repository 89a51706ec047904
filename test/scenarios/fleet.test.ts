/** Servers reached by ssh, from a laptop: each a network namespace with an sshd and a root of its own. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { SshServers } from '../support/ssh-servers.ts';

const hosts = ['a', 'b', 'c'];
const why = whyNoNetworkHosts();

describe.skipIf(why !== null)(`servers reached by ssh${why === null ? '' : `: skipped, ${why}`}`, () => {
  let servers: SshServers;

  beforeAll(async () => {
    servers = new SshServers([...hosts, 'd']);
    writeSpec();
    await servers.start();
  });
  afterAll(() => servers?.destroy());

  function writeSpec(user = 'root'): void {
    const places = hosts.map((name) => {
      const address = servers.network.addressOf(name);
      return [name, { address, ssh: `${user}@${address}` }] as const;
    });
    const spec = { name: 'orders', hosts: Object.fromEntries(places), gate: { on: ['a', 'b'] } };
    writeFileSync(path.join(servers.folder, 'holdfast.yaml'), stringify(spec));
  }

  test('a host whose key is not known is refused, and the error says how to make it known', async () => {
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
});
