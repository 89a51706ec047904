/**
 * Servers that look like those of Red Hat's family: their os-release, no apt-get, no Redis, and a dnf, a getsebool and a
 * restorecon that are stand-ins and note what they are told. What is real is all that apply does with them. Minutes:
 * npm test -- --whole.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { waitFor } from '../../src/base/retry.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { testEngines, whyNoValkey } from '../support/engines.ts';
import { redisServer, writeFleetSpec } from '../support/fleet.ts';
import { SshServers } from '../support/ssh-servers.ts';
import { farOff, farOffWait, whyNotUsual } from '../support/whole-run.ts';

const hosts = ['a', 'b', 'c'];
const skipped = whyNotUsual ?? whyNoNetworkHosts();
const timeout = farOff;
const virtualAddress = '10.77.0.200';

interface Release {
  name: string;
  osRelease: string;
  /** What its repositories have, by package. */
  repository: Readonly<Record<string, readonly string[]>>;
  /** What dnf is asked for on a host with a gate. */
  said: string;
}

function releases(): Release[] {
  const rocky = {
    name: 'Rocky Linux 9',
    osRelease: 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n',
    repository: { redis: [redisServer(), '/usr/bin/redis-cli'], keepalived: ['/usr/sbin/keepalived'] },
    said: 'install -y -q redis keepalived',
  };
  if (whyNoValkey() !== undefined) return [rocky];
  const valkey = testEngines().find(({ binary }) => binary.endsWith('/valkey-server'))?.binary;
  if (valkey === undefined) return [rocky];
  const alma = {
    name: 'AlmaLinux 10',
    osRelease: 'ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="10.0"\n',
    repository: {
      valkey: [valkey, path.join(path.dirname(valkey), 'valkey-cli')],
      keepalived: ['/usr/sbin/keepalived'],
    },
    said: 'install -y -q valkey keepalived',
  };
  return [rocky, alma];
}

/** What a machine of Debian has and one of Red Hat's has not, before its packages are installed. */
const hidden = 'apt-get redis-server redis-cli valkey-server valkey-cli keepalived';

const dnf = `#!/bin/sh
cd /var/lib/stand-ins
echo "$*" >> dnf
case "$1" in
  repoquery) [ -d "repository/$3" ] && echo "$3-0:1-1.el.x86_64"; exit 0 ;;
  install) shift 3; for each; do cp "repository/$each/"* /usr/local/bin/ || exit 1; done ;;
  *) exit 1 ;;
esac
`;

const stillOff = 'test -e /var/lib/stand-ins/setsebool || ';
const tools = {
  dnf,
  rpm: '#!/bin/sh\necho %rhel\n',
  getsebool: `#!/bin/sh\n${stillOff}{ echo "$1 --> off"; exit 0; }\necho "$1 --> on"\n`,
  setsebool: '#!/bin/sh\necho "$*" >> /var/lib/stand-ins/setsebool\n',
  restorecon: '#!/bin/sh\necho "$*" >> /var/lib/stand-ins/restorecon\n',
};

/** Stands for them where they are left out: which there would be is not asked of the engines then. */
const none: Release = { name: 'Red Hat’s', osRelease: '', repository: {}, said: '' };

describe.skipIf(skipped !== null).each(skipped === null ? releases() : [none])(
  'servers that look like $name',
  ({ osRelease, repository, said }) => {
    let servers: SshServers;

    beforeAll(async () => {
      servers = new SshServers(hosts);
      for (const host of hosts) furnish(host);
      await servers.start();
      for (const host of hosts) hide(host);
      const gate = { on: ['a', 'b'], virtualAddress: `${virtualAddress}/24` };
      writeFleetSpec(servers, { on: hosts, bind: '0.0.0.0', more: { gate } });
    }, timeout);
    afterAll(() => servers?.destroy(), timeout);

    function furnish(host: string): void {
      const own = (file: string) => servers.fileOn(host, file);
      rmSync(own('etc/os-release'));
      writeFileSync(own('etc/os-release'), osRelease);
      for (const [name, text] of Object.entries(tools))
        writeFileSync(own(`usr/local/bin/${name}`), text, { mode: 0o755 });
      for (const [name, files] of Object.entries(repository)) {
        const folder = own(`var/lib/stand-ins/repository/${name}`);
        mkdirSync(folder, { recursive: true });
        // What a program is called decides what it is: Debian's redis-server is a link to another.
        for (const file of files) {
          const called = file === redisServer() ? 'redis-server' : path.basename(file);
          copyFileSync(file, path.join(folder, called));
        }
      }
    }

    /** In the server's own tree of mounts. */
    function hide(host: string): void {
      const each = 'file=$(command -v "$each") && mount --bind /dev/null "$(readlink -f "$file")"';
      servers.on(host, `PATH=/usr/sbin:/usr/bin; for each in ${hidden}; do ${each}; done; true`);
    }

    const apply = (...more: string[]) => servers.holdfast(['apply', '--yes', ...more]);
    const told = (host: string, tool: string) =>
      servers.on(host, `cat /var/lib/stand-ins/${tool} 2>/dev/null || true`);

    test('apply installs by dnf what each host needs, tells SELinux, and is done', { timeout }, async () => {
      const dry = await servers.holdfast(['apply', '--dry-run']);
      expect(dry.stdout).toContain('with dnf');
      expect(dry.stdout).toContain('setsebool -P keepalived_connect_any on');
      expect(told('a', 'dnf')).toBe('');
      const { stderr, status } = await apply();
      expect(stderr).not.toContain('error');
      expect(status).toBe(0);
      expect(told('a', 'dnf')).toBe(`repoquery -q redis\n${said}\n`);
      expect(told('c', 'dnf')).toBe(`repoquery -q redis\n${said.replace(' keepalived', '')}\n`);
      expect(told('a', 'setsebool')).toBe('-P keepalived_connect_any on\n');
      expect(told('c', 'setsebool')).toBe('');
      for (const host of hosts) {
        const current = servers.on(host, 'readlink /opt/holdfast/current').trim();
        expect(told(host, 'restorecon')).toBe(`-R /opt/holdfast/${current}\n`);
      }
    });

    test('all of it is healthy, one host has the virtual address, and a second apply has nothing to do', {
      timeout,
    }, async () => {
      const { stdout } = await servers.holdfast(['status', '--json']);
      expect((JSON.parse(stdout) as Status).state).toBe('healthy');
      const holders = () =>
        hosts.filter((host) => servers.on(host, 'ip -o addr show dev eth0').includes(`${virtualAddress}/`));
      await waitFor(() => holders().length === 1, { what: 'the virtual address', withinMs: farOffWait });
      expect((await apply()).stdout).toContain('Nothing to do');
      expect(told('a', 'dnf').split('\n')).toHaveLength(3);
    });
  },
);
