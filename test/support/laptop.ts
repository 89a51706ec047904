/** The machine of an operator in a test: a network namespace whose user has an ssh configuration and keys of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NetworkHosts } from '../../src/testbed/network-hosts.ts';
import type { CliResult } from './deployment.ts';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** What its host is called in the network. */
export const laptop = 'laptop';

/** Its ssh is the system's; what it is called with is kept for who watches. */
const notedSsh = (real: string, noted: string) => `#!/bin/sh
{ printf '%s\\n' "$@"; env; } >> '${noted}'
exec ${real} "$@"
`;
/** What these print is what somebody asked for. */
const printSecrets = ['token'];

export class Laptop {
  readonly #network: NetworkHosts;
  readonly #folder: string;
  readonly #home: string;
  readonly #said: string[] = [];

  /** @param network with a host of that name; @param folder where its spec is */
  constructor(network: NetworkHosts, folder: string) {
    this.#network = network;
    this.#folder = folder;
    this.#home = path.join(folder, laptop);
    const keys = path.join(this.#home, '.ssh');
    mkdirSync(keys, { recursive: true, mode: 0o700 });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(keys, 'id_ed25519')]);
    writeFileSync(path.join(folder, 'passwd'), withHome(this.#home));
    const bin = path.join(this.#home, 'bin');
    mkdirSync(bin);
    const ssh = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
    writeFileSync(path.join(bin, 'ssh'), notedSsh(ssh, this.sshCalls), { mode: 0o755 });
  }

  /** What ssh was called with. */
  get sshCalls(): string {
    return path.join(this.#home, 'ssh-calls');
  }

  get publicKey(): string {
    return readFileSync(path.join(this.#home, '.ssh', 'id_ed25519.pub'), 'utf8');
  }

  /** What holdfast said. */
  get texts(): readonly string[] {
    return this.#said;
  }

  /** @param keys by address, as in the server's own file of its key */
  setKnown(keys: ReadonlyMap<string, string>): void {
    const lines = [...keys].map(([address, text]) => {
      const [kind, key] = text.split(' ');
      return `${address} ${kind} ${key}`;
    });
    writeFileSync(path.join(this.#home, '.ssh', 'known_hosts'), `${lines.join('\n')}\n`);
  }

  /** Runs holdfast. */
  holdfast(args: string[], options: { cwd?: string } = {}): Promise<CliResult> {
    return ended(this.launch(args, options));
  }

  /** The same, for a test that does something meanwhile. */
  launch(args: string[], { cwd = this.#folder }: { cwd?: string } = {}): ChildProcess {
    const [program = '', ...on] = this.#network.on(laptop);
    const own = `mount --make-rprivate / && mount --bind "$1" /etc/passwd && shift && exec "$@"`;
    const words = ['unshare', '--mount', 'sh', '-c', own, laptop, path.join(this.#folder, 'passwd')];
    const child = spawn(program, [...on, ...words, process.execPath, command, ...args], {
      cwd,
      env: {
        PATH: `${path.join(this.#home, 'bin')}:${process.env['PATH']}`,
        HOME: this.#home,
        NO_COLOR: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (!printSecrets.includes(args[0] ?? '')) {
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (text) => {
          said += String(text);
        });
      child.once('close', () => this.#said.push(said));
    }
    return child;
  }
}

/** This machine's users, with another home for root. */
export function withHome(home: string): string {
  return readFileSync('/etc/passwd', 'utf8').replace(/^(root:(?:[^:]*:){4})[^:]*/m, `$1${home}`);
}

export function ended(child: ChildProcess): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const result = { status: 0, stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        result[name] += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...result, status: code ?? -1 }));
  });
}
