/**
 * Servers with Debian and systemd, reached by ssh: what apply installs and which units it makes, an address that moves, and
 * machines that start anew by themselves. Minutes: npm test -- --whole.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { waitFor } from '../../src/base/retry.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets } from '../../src/spec/secrets.ts';
import { writeFleetSpec } from '../support/fleet.ts';
import { laptop } from '../support/laptop.ts';
import { SystemdServers, whyNoSystemdServers } from '../support/systemd-servers.ts';
import { farOff, farOffWait, whyNotUsual } from '../support/whole-run.ts';

const hosts = ['a', 'b', 'c'];
const skipped = whyNotUsual ?? whyNoSystemdServers();
const timeout = farOff;
const virtualAddress = '10.77.0.200';
const [agent, address] = ['holdfast-orders.service', 'holdfast-orders-address.service'];

describe.skipIf(skipped !== null)(
  `servers with systemd${skipped === null ? '' : `: skipped, ${skipped}`}`,
  () => {
    let servers: SystemdServers;

    beforeAll(async () => {
      servers = new SystemdServers(hosts);
      await servers.start();
      const gate = { on: ['a', 'b'], virtualAddress: `${virtualAddress}/24` };
      writeFleetSpec(servers, { on: hosts, bind: '0.0.0.0', more: { gate } });
    }, farOff);
    afterAll(() => servers?.destroy(), timeout);

    const apply = () => servers.holdfast(['apply', '--yes']);
    const unit = (host: string, name: string) =>
      servers
        .on(host, `systemctl show -p ActiveState -p UnitFileState --value ${name}`)
        .split('\n')
        .slice(0, 2);
    const holders = () =>
      hosts.filter((host) => running(host) && servers.on(host, 'ip -o addr').includes(` ${virtualAddress}/`));
    let down = '';
    const running = (host: string) => host !== down;

    async function isHealthy(): Promise<boolean> {
      const { stdout } = await servers.holdfast(['status', '--json']);
      return stdout !== '' && (JSON.parse(stdout) as Status).state === 'healthy';
    }

    /** What the gate at the address says to another machine. */
    function ping(): string {
      const [program = '', ...on] = servers.network.on(laptop);
      const script = `redis-cli -h ${virtualAddress} -p 6380 PING 2>&1 || true`;
      return execFileSync(program, [...on, 'timeout', '5', 'sh', '-c', script], { encoding: 'utf8' });
    }
    const answered = /PONG|NOAUTH/;

    test('apply installs by apt, has systemd run the agents and keepalived, and finds nothing to do then', {
      timeout,
    }, async () => {
      const { stderr, status } = await apply();
      expect(stderr).not.toContain('error');
      expect(status).toBe(0);
      expect(await isHealthy()).toBe(true);
      for (const host of hosts) {
        expect(unit(host, agent)).toEqual(['active', 'enabled']);
        // Debian's own starts with its package, and is in the way of ours.
        expect(unit(host, 'redis-server')).toEqual(['inactive', 'disabled']);
      }
      for (const host of ['a', 'b']) expect(unit(host, address)).toEqual(['active', 'enabled']);
      expect(unit('c', address)).toEqual(['inactive', '']);
      await waitFor(() => holders().length === 1, { what: 'the virtual address', withinMs: farOffWait });
      expect(ping()).toMatch(answered);
      // By syslog; its standard output would be the same again.
      const [first = ''] = holders();
      const journal = servers.on(first, `journalctl -u ${address}`);
      expect(journal).toContain('Entering MASTER STATE');
      expect(journal).not.toContain(' keepalived[');
      expect((await apply()).stdout).toContain('Nothing to do');
    });

    test('the address moves when its gate is gone, and the host that lost it comes back', {
      timeout,
    }, async () => {
      const [first = ''] = holders();
      const other = first === 'a' ? 'b' : 'a';
      servers.on(first, `systemctl stop ${agent}`);
      await waitFor(() => holders().join() === other, { what: 'the address to move', withinMs: farOffWait });
      expect(ping()).toMatch(answered);
      servers.on(first, `systemctl start ${agent}`);
      await waitFor(isHealthy, { what: 'all of it', withinMs: farOffWait, everyMs: 1000 });
      expect(holders()).toEqual([other]);
      expect((await apply()).stdout).toContain('Nothing to do');
    });

    test('a keepalived that is killed is started again', { timeout }, async () => {
      const [first = ''] = holders();
      servers.on(first, `systemctl kill -s KILL ${address}`);
      await waitFor(() => holders().length === 1 && answered.test(ping()), {
        what: 'one address',
        withinMs: farOffWait,
      });
      await waitFor(() => unit(first, address)[0] === 'active', {
        what: 'its keepalived',
        withinMs: farOffWait,
      });
      expect((await apply()).stdout).toContain('Nothing to do');
    });

    test('the address moves when its host dies; the host starts all of it by itself, and nothing is to be done', {
      timeout,
    }, async () => {
      const [first = ''] = holders();
      const other = first === 'a' ? 'b' : 'a';
      down = first;
      await servers.kill(first);
      await waitFor(() => holders().join() === other, { what: 'the address to move', withinMs: farOffWait });
      await waitFor(() => answered.test(ping()), { what: 'the other gate', withinMs: farOffWait });
      await servers.boot(first);
      down = '';
      await waitFor(isHealthy, { what: 'all of it', withinMs: farOffWait, everyMs: 1000 });
      expect(unit(first, agent)).toEqual(['active', 'enabled']);
      expect(unit(first, address)).toEqual(['active', 'enabled']);
      expect(holders()).toEqual([other]);
      expect((await apply()).stdout).toContain('Nothing to do');
    });

    test('no journal has the secret or a password in it', () => {
      const secret = readFileSync(servers.fileOn('a', 'var/lib/holdfast/orders/secret'), 'utf8').trim();
      const spec = parseSpec(
        readFileSync(servers.fileOn('a', 'etc/holdfast/orders.yaml'), 'utf8'),
        'orders.yaml',
      );
      const { own, sentinelPassword, defaultPassword, agentToken } = deriveSecrets(spec, secret, {});
      const hidden = [secret, ...Object.values(own), sentinelPassword, defaultPassword, agentToken].flat();
      for (const host of hosts) {
        const journal = servers.on(host, 'journalctl --no-pager');
        expect(journal).toContain('holdfast');
        expect(hidden.filter((each) => each && journal.includes(each))).toEqual([]);
      }
    });
  },
);
