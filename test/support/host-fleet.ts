/** A deployment over several hosts for a test: an agent on each, with its own state directory and one shared secret. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { stringify } from 'yaml';
import { AgentClient } from '../../src/agent/api/agent-client.ts';
import type { MemberStatus, Status } from '../../src/agent/api/status-answer.ts';
import type { DeploymentEvent } from '../../src/agent/state/event-log.ts';
import { statePaths } from '../../src/agent/state/paths.ts';
import { waitFor } from '../../src/base/retry.ts';
import type { GateStatus } from '../../src/gate/control/control-api.ts';
import { GateControl } from '../../src/gate/control/control-client.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets } from '../../src/spec/secrets.ts';
import type { Spec } from '../../src/spec/spec.ts';
import { NetworkHosts } from '../../src/testbed/network-hosts.ts';
import { type CliResult, holdfast } from './deployment.ts';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

type Sections = Record<string, Record<string, unknown> | string>;

export class HostFleet {
  readonly network: NetworkHosts;
  readonly spec: Spec;
  readonly folder = mkdtempSync(path.join(tmpdir(), 'hff-'));
  readonly #specFile: string;
  readonly #password: string;
  readonly #clients: Redis[] = [];

  constructor(names: readonly string[], sections: Sections) {
    this.network = NetworkHosts.create(names);
    this.writeSecret('not much of a secret');
    this.#specFile = path.join(this.folder, 'holdfast.yaml');
    this.spec = parseSpec(this.writeSpec(sections), this.#specFile);
    this.#password = deriveSecrets(this.spec, 'not much of a secret', {}).defaultPassword as string;
  }

  /** Replaces the spec's file; what runs goes on with the one that it read. @returns its text. */
  writeSpec(sections: Sections): string {
    const { names } = this.network;
    const hosts = Object.fromEntries(names.map((name) => [name, { address: this.network.addressOf(name) }]));
    const text = stringify({ name: 'fleet', hosts, security: { secret: { file: 'secret' } }, ...sections });
    writeFileSync(this.#specFile, text);
    return text;
  }

  /** Replaces the secret that hosts read when they start. */
  writeSecret(text: string): void {
    writeFileSync(path.join(this.folder, 'secret'), `${text}\n`, { mode: 0o600 });
  }

  stateDir(host: string): string {
    return path.join(this.folder, host);
  }

  /** Starts a host's agent in the background and returns what `up` said, whether it is ready or not. */
  up(host: string, wait = '60s'): Promise<CliResult> {
    const [program = '', ...before] = this.network.on(host);
    const args = ['up', this.#specFile, '--host', host, '--state-dir', this.stateDir(host)];
    return run(program, [...before, process.execPath, command, ...args, '--detach', '--wait', wait]);
  }

  /** Runs a verb on a host. It talks to the agent over its Unix socket, so it needs no network. */
  run(host: string, verb: string, options: string[] = [], args: string[] = []): Promise<CliResult> {
    return holdfast([verb, ...args, this.#specFile, '--state-dir', this.stateDir(host), ...options]);
  }

  /** The same for a verb that needs the host's network. */
  runOn(host: string, verb: string, args: string[] = [], options: string[] = []): Promise<CliResult> {
    const [program = '', ...before] = this.network.on(host);
    const all = [verb, ...args, this.#specFile, '--state-dir', this.stateDir(host), ...options];
    return run(program, [...before, process.execPath, command, ...all]);
  }

  /** What the agent of a host says, asked without the command: tests ask many times a second. */
  status(host: string): Promise<Status> {
    return new AgentClient(statePaths(this.stateDir(host))).status();
  }

  waitForStatus(
    host: string,
    what: string,
    test: (status: Status) => boolean,
    withinMs = 60_000,
  ): Promise<Status> {
    let last: Status | undefined;
    const look = async () => {
      last = await this.status(host);
      return test(last) ? last : undefined;
    };
    return waitFor(look, { what: `${what} on ${host}`, withinMs, everyMs: 100 }).catch((cause) => {
      throw new Error(`${what} on ${host}: ${JSON.stringify(last, null, 1)}`, { cause });
    });
  }

  /** Waits until every host sees a healthy deployment with the same primary. */
  async waitUntilHealthy(): Promise<Status> {
    const all = await Promise.all(
      this.network.names.map((host) =>
        this.waitForStatus(host, 'a healthy deployment', ({ state }) => state === 'healthy'),
      ),
    );
    if (new Set(all.map(({ primary }) => primary)).size !== 1) return this.waitUntilHealthy();
    return all[0] as Status;
  }

  async primary(): Promise<MemberStatus & { host: string }> {
    const { members, primary } = await this.waitUntilHealthy();
    return members.find(({ id }) => id === primary) as MemberStatus;
  }

  /** A client on one host, connected to a port of another. It never reconnects: a dropped connection shows. */
  async client(from: string, to: string, port: number): Promise<Redis> {
    const socket = await this.network.relay(from, this.network.addressOf(to), port);
    return this.#connect(socket, 'default', this.#password);
  }

  /** Asks a member directly, by its Unix socket: no fault of the network is in the way. */
  member(id: string): Redis {
    const host = this.spec.members.find((member) => member.id === id)?.host as string;
    const socket = path.join(this.stateDir(host), 'members', id, 'sock');
    return this.#connect(socket, 'default', this.#password);
  }

  events(host: string): DeploymentEvent[] {
    const file = path.join(this.stateDir(host), 'events.jsonl');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as DeploymentEvent);
  }

  /** What the gate of a host says of itself. */
  gateStatus(host: string): Promise<GateStatus> {
    const id = this.spec.gates.find((gate) => gate.host === host)?.id as string;
    return new GateControl(path.join(this.stateDir(host), 'gates', id, 'sock')).status();
  }

  /** The pid that a record in a host's state directory names: `agent.json`, `members/redis-1/process.json`. */
  pidOf(host: string, record: string): number {
    return (JSON.parse(readFileSync(path.join(this.stateDir(host), record), 'utf8')) as { pid: number }).pid;
  }

  /** Kills every process of a host, its agent too, as a power cut does. */
  killHost(host: string): Promise<void> {
    return this.network.killAll(host);
  }

  async destroy(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    try {
      await this.network.destroy();
    } finally {
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  #connect(socket: string, username: string, password: string): Redis {
    const never = { retryStrategy: () => null, maxRetriesPerRequest: 0, enableReadyCheck: false };
    const client = new Redis({ path: socket, username, password, ...never });
    client.on('error', () => {});
    this.#clients.push(client);
    return client;
  }
}

function run(program: string, args: string[]): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const result = { status: 0, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      result.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      result.stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...result, status: code ?? -1 }));
  });
}
