/**
 * Servers for a test, and a laptop. A server is a network namespace with processes, mounts and an sshd of its own: /etc, /opt,
 * /var/lib, /usr/local, /run and /tmp are its own, kernel settings can't be changed, and there is no Node. The laptop is a
 * network namespace whose user has an ssh configuration and keys of its own. All the time it is watched whether anybody shows a
 * secret: in arguments, environments, logs, files that others may read, or on the laptop's terminal. `destroy` fails then.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { waitFor } from '../../src/base/retry.ts';
import { NetworkHosts } from '../../src/testbed/network-hosts.ts';
import type { CliResult } from './deployment.ts';
import { Laptop, laptop, withHome } from './laptop.ts';
import { ServersWatch } from './servers-watch.ts';
import { farOffWait } from './whole-run.ts';

/** A user of each server that is not root and has no sudo. */
const plainUser = 'plain';

/** Runs as process 1 of a server. Its arguments: the folder that holds what is its own, where Node is. */
const boot = `set -e
D=$1
mount --make-rprivate /
for each in etc opt var/lib usr/local; do mount --bind "$D/$each" "/$each"; done
mount --bind /dev/null "$2"
mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
mount -o remount,bind,ro /sys 2>/dev/null || true
mount -t tmpfs none /run && mkdir /run/sshd
mount -t tmpfs none /tmp && chmod 1777 /tmp
exec "$(command -v sshd || echo /usr/sbin/sshd)" -D -e -f /etc/ssh/holdfast_sshd
`;

const sshdConfig = `Port 22
HostKey /etc/ssh/holdfast_host_key
AuthorizedKeysFile .ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PidFile none
MaxStartups 100
MaxSessions 100
`;

const mostJournal = 4 * 2 ** 20;

export class SshServers {
  readonly names: readonly string[];
  readonly network: NetworkHosts;
  readonly folder = mkdtempSync(path.join(tmpdir(), 'hfs-'));
  /** See ServersWatch. */
  readonly ownFolders: string[] = [];
  readonly #inits = new Map<string, ChildProcess>();
  readonly #laptop: Laptop;
  readonly #journals = new Map<string, string>();
  #watch: ServersWatch | null = null;

  constructor(names: readonly string[]) {
    this.names = names;
    this.network = NetworkHosts.create([...names, laptop]);
    this.#laptop = new Laptop(this.network, this.folder);
    for (const name of names) this.#furnish(name);
    this.setKnown(names);
  }

  /** Starts the servers' sshds and waits until they listen. */
  async start(): Promise<void> {
    this.#watch ??= new ServersWatch(this);
    await this.#watch.begun;
    await Promise.all(this.names.map((name) => this.boot(name)));
  }

  /** What ssh was called with on the laptop. */
  get sshCalls(): string {
    return this.#laptop.sshCalls;
  }

  runs(name: string): boolean {
    const init = this.#inits.get(name);
    return init !== undefined && init.exitCode === null && init.signalCode === null;
  }

  /** What holdfast said on the laptop, and sshd on each server. */
  get texts(): string[] {
    return [...this.#laptop.texts, ...this.#journals.values()];
  }

  /** Where the server's own `/etc`, `/opt`, `/var/lib` and so on lie on this machine. */
  fileOn(name: string, file: string): string {
    return path.join(this.folder, name, file);
  }

  /** Which servers' keys the laptop knows. @param takenFor whose key it takes for that of one */
  setKnown(names: readonly string[], takenFor = (name: string) => name): void {
    const keys = names.map((name) => {
      const file = this.fileOn(takenFor(name), 'etc/ssh/holdfast_host_key.pub');
      return [this.network.addressOf(name), readFileSync(file, 'utf8')] as const;
    });
    this.#laptop.setKnown(new Map(keys));
  }

  async boot(name: string): Promise<void> {
    const [program = '', ...on] = this.network.on(name);
    const apart = ['unshare', '--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'];
    const args = ['sh', '-c', boot, 'boot', path.join(this.folder, name), process.execPath];
    const child = spawn(program, [...on, ...apart, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#inits.set(name, child);
    const said = () => this.#journals.get(name) ?? '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#journals.set(name, `${said()}${text}`.slice(-mostJournal));
    });
    const socket = await this.network.relay(laptop, this.network.addressOf(name), 22);
    await waitFor(
      () => {
        if (child.exitCode !== null) throw new Error(`server ${name} ended: ${said().slice(-2000)}`);
        return answersWithBanner(socket);
      },
      { what: `the sshd of ${name}: ${said().slice(-2000)}`, withinMs: farOffWait, everyMs: 100 },
    );
  }

  /** A power cut. */
  kill(name: string): Promise<void> {
    return this.network.killAll(name);
  }

  /** Runs holdfast on the laptop. */
  holdfast(args: string[], options: { cwd?: string } = {}): Promise<CliResult> {
    return this.#laptop.holdfast(args, options);
  }

  /** The same, for a test that does something meanwhile. */
  launch(args: string[], options: { cwd?: string } = {}): ChildProcess {
    return this.#laptop.launch(args, options);
  }

  /** Runs a script on a server, as root, without ssh. */
  on(name: string, script: string, input = ''): string {
    const init = this.#inits.get(name)?.pid;
    // Process 1 of the server is the child of unshare.
    const [inside] = readFileSync(`/proc/${init}/task/${init}/children`, 'utf8').split(' ');
    const enter = ['-t', inside ?? '', '--mount', '--pid', '--net', 'sh', '-c', script];
    return execFileSync('nsenter', enter, { encoding: 'utf8', input });
  }

  async destroy(): Promise<void> {
    try {
      await this.#watch?.nothingWasShown();
    } finally {
      await this.network.destroy().finally(() => this.#remove());
    }
  }

  #remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #furnish(name: string): void {
    const own = (file: string) => this.fileOn(name, file);
    for (const folder of ['opt', 'var/lib', 'usr/local/bin']) mkdirSync(own(folder), { recursive: true });
    cpSync('/etc', own('etc'), { recursive: true, preserveTimestamps: false, verbatimSymlinks: true });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', own('etc/ssh/holdfast_host_key')]);
    writeFileSync(own('etc/ssh/holdfast_sshd'), sshdConfig);
    const key = this.#laptop.publicKey;
    const uid = 1999;
    const passwd = `${withHome('/var/lib/root')}${plainUser}:x:${uid}:${uid}::/var/lib/${plainUser}:/bin/sh\n`;
    writeFileSync(own('etc/passwd'), passwd);
    const shadow = readFileSync('/etc/shadow', 'utf8').replace(/^root:[^:]*/m, 'root:*');
    writeFileSync(own('etc/shadow'), `${shadow}${plainUser}:*:19000:0:99999:7:::\n`, { mode: 0o640 });
    for (const [user, id] of [
      ['root', 0],
      [plainUser, uid],
    ] as const) {
      const home = own(`var/lib/${user}`);
      mkdirSync(path.join(home, '.ssh'), { recursive: true, mode: 0o700 });
      writeFileSync(path.join(home, '.ssh', 'authorized_keys'), key, { mode: 0o600 });
      execFileSync('chown', ['-R', String(id), home]);
    }
  }
}

function answersWithBanner(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(socket);
    client.once('data', (data) => {
      client.destroy();
      resolve(data.toString().startsWith('SSH-'));
    });
    for (const end of ['error', 'close']) client.once(end, () => resolve(false));
  });
}
