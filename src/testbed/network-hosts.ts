/**
 * Hosts of a network for one drill or test: a Linux network namespace each, with its own loopback and its own cable to a
 * switch, which is a bridge in a namespace of its own. Nothing of it reaches the machine's own network. Cables can be
 * unplugged and hosts cut off, and `destroy` ends every process that runs in there.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { waitFor } from '../base/retry.ts';
import { isAlive, killNow as kill } from './leftovers.ts';

/** Why such hosts can't be made here, or null when they can. */
export function whyNoNetworkHosts(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const name = `hf${process.pid}probe`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'del', name);
    return null;
  } catch (error) {
    return `no network namespace can be made: ${error instanceof Error ? error.message : error}`;
  }
}

/**
 * A Unix socket is found by its path, whatever the network namespace: this program runs inside and brings whoever
 * connects to such a socket to an address in there. A socket has a path before it listens, and turns down whoever comes
 * between: so it gets the path by which it is known when it listens.
 */
const relayProgram = `
const { renameSync } = require('node:fs');
const { createServer, connect } = require('node:net');
const [socket, host, port] = process.argv.slice(1);
createServer({ noDelay: true }, (client) => {
  const server = connect({ host, port: Number(port), noDelay: true });
  const end = () => { client.destroy(); server.destroy(); };
  for (const side of [client, server]) side.on('error', end).on('close', end);
  client.pipe(server);
  server.pipe(client);
}).listen(socket + '.new', () => renameSync(socket + '.new', socket));
`;

export class NetworkHosts {
  /** The names of the hosts; each has the address `addressOf(name)`. */
  readonly names: readonly string[];
  readonly #prefix: string;
  readonly #folder: string;
  readonly #relays: ChildProcess[] = [];

  private constructor(names: readonly string[]) {
    this.names = names;
    this.#prefix = `hf${process.pid}x${counter++}`;
    this.#folder = mkdtempSync(path.join(tmpdir(), 'hfn-'));
  }

  static create(names: readonly string[]): NetworkHosts {
    sweepLeftovers();
    const hosts = new NetworkHosts(names);
    try {
      hosts.#build();
      return hosts;
    } catch (error) {
      hosts.#remove();
      throw error;
    }
  }

  addressOf(name: string): string {
    return `10.77.0.${this.names.indexOf(name) + 1}`;
  }

  /** The words before a command that run it on this host. */
  on(name: string): string[] {
    return ['ip', 'netns', 'exec', this.#namespace(name)];
  }

  /** Unplugs the host's cable from the switch, or plugs it in. */
  setCable(name: string, state: 'in' | 'out'): void {
    ip('-n', this.#switch, 'link', 'set', `to-${name}`, state === 'in' ? 'up' : 'down');
  }

  /** Leaves the cable in and has nothing pass, as a fault within the network does; or lets it pass again. */
  setCutOff(name: string, cutOff: boolean): void {
    ip('-n', this.#switch, 'link', 'set', `to-${name}`, 'master', cutOff ? 'nowhere' : 'lan');
  }

  /** Has what this host sends to the others be lost, while it hears them; or lets it pass again. */
  setMute(name: string, mute: boolean): void {
    const namespace = this.#namespace(name);
    for (const other of this.names.filter((each) => each !== name)) {
      const to = ['to', this.addressOf(other), 'dev', 'eth0'];
      // An address of a network card that nobody has.
      if (mute)
        ip('-n', namespace, 'neigh', 'replace', ...to, 'lladdr', '02:00:00:00:00:fe', 'nud', 'permanent');
      else ip('-n', namespace, 'neigh', 'del', ...to);
    }
  }

  /** Has nothing pass between two hosts, which both reach all the others; or lets it pass again. */
  setApart(names: readonly [string, string], apart: boolean): void {
    for (const name of names) {
      const port = ['dev', `to-${name}`, 'type', 'bridge_slave'];
      ip('-n', this.#switch, 'link', 'set', ...port, 'isolated', apart ? 'on' : 'off');
    }
  }

  /** A Unix socket that leads to an address as seen from this host, for clients outside. */
  async relay(name: string, address: string, port: number): Promise<string> {
    const socket = path.join(this.#folder, `${name}-${address}-${port}`);
    if (existsSync(socket)) return socket;
    const [program = '', ...before] = this.on(name);
    const args = [...before, process.execPath, '-e', relayProgram, socket, address, String(port)];
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#relays.push(child);
    await waitFor(() => existsSync(socket), { what: `the relay on ${name}`, withinMs: 240_000 });
    return socket;
  }

  /** Kills whatever runs on the hosts, and takes the network away. */
  async destroy(): Promise<void> {
    for (const name of this.names) await this.killAll(name);
    this.#remove();
  }

  /** Kills whatever runs on one host. */
  async killAll(name: string): Promise<void> {
    const pids = pidsIn(this.#namespace(name));
    for (const pid of pids) kill(pid);
    await waitFor(() => !pids.some(isAlive), { what: `the processes on ${name} to end`, withinMs: 10_000 });
  }

  #build(): void {
    ip('netns', 'add', this.#switch);
    for (const bridge of ['lan', 'nowhere']) {
      ip('-n', this.#switch, 'link', 'add', bridge, 'type', 'bridge');
      ip('-n', this.#switch, 'link', 'set', bridge, 'up');
    }
    for (const name of this.names) {
      const namespace = this.#namespace(name);
      ip('netns', 'add', namespace);
      ip('-n', namespace, 'link', 'set', 'lo', 'up');
      const ends = [
        'name',
        `to-${name}`,
        'netns',
        this.#switch,
        'type',
        'veth',
        'peer',
        'name',
        'eth0',
        'netns',
        namespace,
      ];
      ip('link', 'add', ...ends);
      ip('-n', this.#switch, 'link', 'set', `to-${name}`, 'master', 'lan');
      ip('-n', this.#switch, 'link', 'set', `to-${name}`, 'up');
      ip('-n', namespace, 'address', 'add', `${this.addressOf(name)}/24`, 'dev', 'eth0');
      ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    }
  }

  #remove(): void {
    for (const relay of this.#relays) relay.kill('SIGKILL');
    for (const name of namespaces()) if (name.startsWith(`${this.#prefix}-`)) ip('netns', 'del', name);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #switch(): string {
    return this.#namespace('switch');
  }

  #namespace(name: string): string {
    return `${this.#prefix}-${name}`;
  }
}

let counter = 0;

/** What a run that was killed itself has left. The pid in the name says whose it was. */
function sweepLeftovers(): void {
  for (const name of namespaces()) {
    const [, pid] = /^hf(\d+)x\d+-/.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    for (const each of pidsIn(name)) kill(each);
    ip('netns', 'del', name);
  }
}

function namespaces(): string[] {
  return ip('netns', 'list')
    .split('\n')
    .flatMap((line) => line.split(' ', 1).filter((word) => word !== ''));
}

function pidsIn(namespace: string): number[] {
  return ip('netns', 'pids', namespace).split('\n').filter(Boolean).map(Number);
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
