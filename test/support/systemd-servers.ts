/**
 * Servers for a test with Debian and systemd: containers, each in the network namespace of a host, from a base that debootstrap
 * makes once. Nothing is installed on them but systemd and sshd; what apply installs lies in a repository of packages on each,
 * because they reach nothing but each other and the laptop. Kernel settings are the machine's, and can't be changed from there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../../src/base/retry.ts';
import { NetworkHosts, whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import type { CliResult } from './deployment.ts';
import { Laptop, laptop } from './laptop.ts';

const base = fileURLToPath(new URL('../../.setup/debian-systemd', import.meta.url));
const included = 'systemd,systemd-sysv,dbus,openssh-server,iproute2,procps,ca-certificates';
/** What apply may install, and what has a look here. */
const packages = 'redis-server redis-tools keepalived';
/** As many as there may be with work to do on one. */
const processesOfServer = 16;
/** A journal may be long. */
const mostBytes = 64 * 2 ** 20;
const podman = ['--runtime', 'runc', '--cgroup-manager', 'cgroupfs'];

/** Why there are none here; null when there are. */
export function whyNoSystemdServers(): string | null {
  const missing = ['podman', 'runc', 'debootstrap'].filter(
    (each) => spawnSync('sh', ['-c', `command -v ${each}`], { env: pathOfRoot }).status !== 0,
  );
  return missing.length > 0 ? `${missing.join(', ')} not installed` : whyNoNetworkHosts();
}

const pathOfRoot = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };

/** In the folder that is to become the base. */
const makeBase = `set -e
. /etc/os-release
debootstrap --variant=minbase --include=${included} "$VERSION_CODENAME" "$1" >&2
chroot "$1" sh -c 'set -e
  apt-get clean
  apt-get install -y -q --download-only --no-install-recommends ${packages}
  mkdir /var/repository
  mv /var/cache/apt/archives/*.deb /var/repository/
  cd /var/repository
  for each in *.deb; do
    dpkg-deb -f "$each"
    echo "Filename: ./$each"
    echo "Size: $(stat -c %s "$each")"
    echo "SHA256: $(sha256sum "$each" | cut -d " " -f 1)"
    echo
  done > Packages
  echo "deb [trusted=yes] file:/var/repository ./" > /etc/apt/sources.list
  apt-get update -q' >&2
`;

function ensureBase(): void {
  if (existsSync(base)) return;
  const fresh = `${base}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  execFileSync('sh', ['-c', makeBase, 'base', fresh], {
    env: pathOfRoot,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  renameSync(fresh, base);
}

export class SystemdServers {
  readonly names: readonly string[];
  readonly network: NetworkHosts;
  readonly folder = mkdtempSync(path.join(tmpdir(), 'hfd-'));
  readonly #laptop: Laptop;

  constructor(names: readonly string[]) {
    this.names = names;
    this.network = NetworkHosts.create([...names, laptop]);
    this.#laptop = new Laptop(this.network, this.folder);
  }

  /** Makes them from the base, and waits until their sshds listen. The first time it takes minutes. */
  async start(): Promise<void> {
    ensureBase();
    for (const name of this.names) {
      execFileSync('cp', ['-a', '--reflink=auto', base, this.fileOn(name, '')]);
      mkdirSync(this.fileOn(name, 'root/.ssh'), { recursive: true, mode: 0o700 });
      writeFileSync(this.fileOn(name, 'root/.ssh/authorized_keys'), this.#laptop.publicKey, { mode: 0o600 });
    }
    const keyOf = (name: string) =>
      readFileSync(this.fileOn(name, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8');
    this.#laptop.setKnown(new Map(this.names.map((name) => [this.network.addressOf(name), keyOf(name)])));
    await Promise.all(this.names.map((name) => this.boot(name)));
  }

  fileOn(name: string, file: string): string {
    return path.join(this.folder, name, file);
  }

  async boot(name: string): Promise<void> {
    const [, , , namespace = ''] = this.network.on(name);
    // podman asks for more than a machine may give that is a container itself.
    const asked = ['--noheadings', '--output', 'HARD', '--nofile'];
    const files = execFileSync('prlimit', asked, { encoding: 'utf8' }).trim();
    const limits = ['--ulimit', `nofile=${files}:${files}`, '--ulimit', 'nproc=1024:1024'];
    // A group counts as one process beside those of the machine, however many are in it; and so does podman's of all containers.
    const share = ['--cgroup-parent', '/', '--cpu-shares', String(1024 * processesOfServer)];
    const open = [
      '--cap-add=all',
      '--security-opt',
      'seccomp=unconfined',
      '--security-opt',
      'apparmor=unconfined',
    ];
    const own = [
      '--name',
      this.#container(name),
      '--hostname',
      name,
      '--network',
      `ns:/run/netns/${namespace}`,
    ];
    const args = ['run', '--detach', '--systemd=always', ...own, ...limits, ...share, ...open];
    this.#podman([...args, '--rootfs', this.fileOn(name, ''), '/sbin/init']);
    const listens = () => this.on(name, 'ss -Hltn "sport = :22"').includes(':22');
    await waitFor(listens, { what: `the sshd of ${name}`, withinMs: 120_000, everyMs: 500 });
  }

  /** A power cut. */
  async kill(name: string): Promise<void> {
    await this.network.killAll(name);
    this.#podman(['rm', '--force', '--ignore', '--time', '0', this.#container(name)]);
  }

  /** Runs a script on a server, as root, without ssh. */
  on(name: string, script: string, input = ''): string {
    return this.#podman(['exec', '--interactive', this.#container(name), 'sh', '-c', script], input);
  }

  /** Runs holdfast on the laptop. */
  holdfast(args: string[]): Promise<CliResult> {
    return this.#laptop.holdfast(args);
  }

  async destroy(): Promise<void> {
    for (const name of this.names) await this.kill(name);
    await this.network.destroy();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #container(name: string): string {
    return `hfd${process.pid}-${name}`;
  }

  #podman(args: readonly string[], input = ''): string {
    return execFileSync('podman', [...podman, ...args], {
      encoding: 'utf8',
      input,
      env: pathOfRoot,
      maxBuffer: mostBytes,
    });
  }
}
