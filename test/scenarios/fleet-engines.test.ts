/**
 * Servers reached by ssh go over to another Redis or Valkey under load, one engine after the other: npm test -- --whole, and
 * HOLDFAST_TEST_ENGINES for others than the Valkey that the tests have.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { testEngines } from '../support/engines.ts';
import { allCounted, writeFleetSpec, writeLoad } from '../support/fleet.ts';
import { SshServers } from '../support/ssh-servers.ts';
import { farOff, whyNotUsual } from '../support/whole-run.ts';

const hosts = ['a', 'b', 'c'];
/** The system's is what they have at first. */
const engines = testEngines().filter(({ binary }) => binary.includes('/'));
const skipped = whyNotUsual ?? (engines.length > 0 ? whyNoNetworkHosts() : 'there is no other engine');

describe.skipIf(skipped !== null)('servers reached by ssh go over to another engine', () => {
  let servers: SshServers;

  beforeAll(async () => {
    servers = new SshServers(hosts);
    await servers.start();
    writeFleetSpec(servers, { on: hosts });
    expect((await servers.holdfast(['apply', '--yes'])).stderr).not.toContain('error');
  }, farOff);
  afterAll(() => servers?.destroy(), farOff);

  test.each(engines)(
    '$name: no client notices, and every write counts',
    { timeout: farOff },
    async ({ name, binary }) => {
      const there = `/opt/${name.replace(' ', '-')}/${path.basename(binary)}`;
      for (const host of hosts) {
        mkdirSync(path.dirname(servers.fileOn(host, there)), { recursive: true });
        copyFileSync(binary, servers.fileOn(host, there));
      }
      const load = await writeLoad(servers, 'b');
      writeFleetSpec(servers, { on: hosts, redis: { binary: there } });
      const { status, stderr, stdout } = await servers.holdfast(['apply', '--yes']);
      expect(stderr).not.toContain('error');
      expect(stdout).toContain('The primary moves to another member before its server restarts');
      expect(status).toBe(0);
      await allCounted(load);
      for (const host of hosts) {
        const running = servers.on(host, 'readlink /proc/[0-9]*/exe');
        expect(running.split('\n').filter((file) => file === there)).toHaveLength(2);
      }
      expect((await servers.holdfast(['apply', '--yes'])).stdout).toContain('Nothing to do');
    },
  );
});
