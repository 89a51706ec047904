/** A real deployment for a test: its own ports, its own state directory, gone without a trace at the end. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { stringify } from 'yaml';
import { AgentClient } from '../../src/agent/api/agent-client.ts';
import type { MemberStatus, Status } from '../../src/agent/api/status-answer.ts';
import type { ApplyResult } from '../../src/agent/change/apply-spec.ts';
import type { DeploymentEvent } from '../../src/agent/state/event-log.ts';
import './exit-on-signal.ts';
import { statePaths } from '../../src/agent/state/paths.ts';
import { waitFor } from '../../src/base/retry.ts';
import { freePorts } from '../../src/process/free-ports.ts';
import { childrenOf } from '../../src/process/stat.ts';
import { isAlive, killUntilGone } from '../../src/testbed/leftovers.ts';
import { startCli } from './cli-process.ts';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CliResult {
  status: number;
  stdout: string;
  stderr: string;
}

/** Commands that a test gave up waiting for end what they have started when its file is over. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGINT');
});

/** Runs the built command. Never throws for an exit status: that is part of the result. */
export function holdfast(args: string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, ...args], {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    const result = { status: 0, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      result.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      result.stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      running.delete(child);
      resolve({ ...result, status: code ?? -1 });
    });
  });
}

/** How long a backup may take, in ms: it lets all others go first, and a machine may be busy. */
export const backupMs = 150_000;

type Overrides = Record<string, Record<string, unknown>>;

export class TestDeployment {
  readonly folder: string;
  readonly stateDir: string;
  readonly specFile: string;
  readonly ports: { members: number; sentinels: number; gate: number; replica: number; api: number };
  readonly #clients: Redis[] = [];
  #spec: Overrides & { name: string };

  private constructor(firstPort: number, overrides: Overrides) {
    this.folder = mkdtempSync(path.join(tmpdir(), 'hf-'));
    this.stateDir = path.join(this.folder, 's');
    this.specFile = path.join(this.folder, 'holdfast.yaml');
    const ports = {
      members: firstPort,
      sentinels: firstPort + 5,
      gate: firstPort + 10,
      replica: firstPort + 11,
    };
    this.ports = { ...ports, api: firstPort + 12 };
    this.#spec = {
      name: 'test',
      redis: { members: 3, port: ports.members, ...overrides['redis'] },
      sentinel: { port: ports.sentinels, ...overrides['sentinel'] },
      gate: { port: ports.gate, replicaPort: ports.replica, ...overrides['gate'] },
      agent: { port: this.ports.api, ...overrides['agent'] },
      ...(overrides['security'] ? { security: overrides['security'] } : {}),
      ...(overrides['backup'] ? { backup: overrides['backup'] } : {}),
    } as unknown as Overrides & { name: string };
    this.writeSpec({});
  }

  /** Chooses ports and writes the spec; starts nothing. */
  static async create(overrides: Overrides = {}): Promise<TestDeployment> {
    return new TestDeployment(await freePorts(13), overrides);
  }

  /** Creates it and brings it up in the background. */
  static async up(overrides: Overrides = {}): Promise<TestDeployment> {
    const deployment = await TestDeployment.create(overrides);
    try {
      await deployment.start();
      return deployment;
    } catch (error) {
      await deployment.destroy();
      throw error;
    }
  }

  /** Changes sections of the spec file, or what is a text. */
  writeSpec(changes: Overrides | Record<string, string>): void {
    for (const [section, values] of Object.entries(changes)) {
      const changed = typeof values === 'string' ? values : { ...this.#spec[section], ...values };
      this.#spec = Object.assign({ ...this.#spec }, { [section]: changed });
    }
    writeFileSync(this.specFile, stringify(this.#spec));
  }

  async start(): Promise<void> {
    const result = await this.run('up', [], ['--detach']);
    if (result.status !== 0) throw new Error(`up ended with ${result.status}: ${result.stderr}`);
  }

  /** Runs a verb on this deployment. */
  run(verb: string, args: string[] = [], options: string[] = []): Promise<CliResult> {
    return holdfast([verb, ...args, this.specFile, '--state-dir', this.stateDir, ...options]);
  }

  /** `down`, interrupted as soon as it has begun. @returns its exit status, and what it said */
  async interruptDown(): Promise<{ status: number; said: string }> {
    const down = startCli(['down', this.specFile, '--state-dir', this.stateDir]);
    const isOver = down.ended.then(() => true);
    const hasBegun = async () => down.said() !== '' || (await Promise.race([isOver, false]));
    await waitFor(hasBegun, { what: 'the first step', withinMs: 60_000, everyMs: 5 });
    down.child.kill('SIGINT');
    return { status: await down.ended, said: down.said() };
  }

  async json<T>(verb: string, args: string[] = [], options: string[] = []): Promise<T> {
    const { stdout, stderr, status } = await this.run(verb, args, ['--json', ...options]);
    if (stdout === '') throw new Error(`${verb} --json printed nothing and ended with ${status}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** What its agent says, asked without the command: tests ask many times a second. */
  status(): Promise<Status> {
    return new AgentClient(statePaths(this.stateDir)).status();
  }

  /** What `apply` would change, asked without the command. */
  async changesLeft(): Promise<ApplyResult['changes']> {
    const agent = new AgentClient(statePaths(this.stateDir));
    const answer = await agent.run('apply', { file: this.specFile, dryRun: true }, () => {});
    return (answer as ApplyResult).changes;
  }

  /** The events so far, read from their file. */
  events(): DeploymentEvent[] {
    const file = path.join(this.stateDir, 'events.jsonl');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as DeploymentEvent);
  }

  async primary(): Promise<MemberStatus> {
    const { members } = await this.status();
    const primary = members.find(({ role }) => role === 'primary');
    if (!primary) throw new Error('there is no primary');
    return primary;
  }

  /** Waits until `status` says what is wanted. */
  waitForStatus(what: string, test: (status: Status) => boolean, withinMs = 60_000): Promise<Status> {
    const look = async () => {
      const status = await this.status();
      return test(status) ? status : undefined;
    };
    return waitFor(look, { what, withinMs, everyMs: 100 });
  }

  waitUntilHealthy(withinMs?: number): Promise<Status> {
    return this.waitForStatus('a healthy deployment', ({ state }) => state === 'healthy', withinMs);
  }

  /** Waits until the agent has taken its first backup. */
  waitForFirstBackup(): Promise<Status> {
    const isThere = ({ backup }: Status) => backup !== null && backup.lastGoodAt !== null;
    return this.waitForStatus('the first backup', isThere, backupMs);
  }

  /** A client at the read-write port, or at another port. It never reconnects: a dropped connection shows. */
  client(port: number = this.ports.gate, options: object = {}): Redis {
    const client = new Redis({
      host: '127.0.0.1',
      port,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      ...options,
    });
    client.on('error', () => {});
    this.#clients.push(client);
    return client;
  }

  /**
   * Waits until each member's AOF holds what the member executed, so that a kill -9 of every process loses nothing.
   * With `appendfsync everysec` a server keeps writes in its own memory while an fsync is under way, for up to two
   * seconds (flushAppendOnlyFile in Redis's aof.c). Members without an AOF have nothing to wait for.
   */
  async written(): Promise<void> {
    const { members } = await this.status();
    for (const { id, port } of members) {
      const client = this.client(port);
      const written = async () => !/^aof_buffer_length:[1-9]/m.test(await client.info('persistence'));
      await waitFor(written, { what: `the AOF of ${id} to hold what it executed`, withinMs: 60_000 });
    }
  }

  agentPid(): number {
    return pidIn(path.join(this.stateDir, 'agent.json')) as number;
  }

  /** Every process that this deployment has a record of and that still runs. */
  runningPids(): number[] {
    const records = ['agent.json'].map((name) => path.join(this.stateDir, name));
    for (const kind of ['members', 'sentinels', 'gates']) {
      const folder = path.join(this.stateDir, kind);
      if (!existsSync(folder)) continue;
      records.push(...readdirSync(folder).map((id) => path.join(folder, id, 'process.json')));
    }
    return records.map(pidIn).filter((pid): pid is number => pid !== undefined && isAlive(pid));
  }

  /** Ends everything at once, whatever state it is in. */
  async destroy(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await killUntilGone(() => this.#processes(), { what: 'the deployment to be gone', withinMs: 60_000 });
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** What is on record, runs in its folder or writes into it, and what that has started. The agent comes first. */
  #processes(): Set<number> {
    const isHere = (pid: number) =>
      ['cwd', 'fd/1', 'fd/2'].some((link) => leadsTo(`/proc/${pid}/${link}`).startsWith(`${this.folder}/`));
    const running = readdirSync('/proc').map(Number).filter(isHere);
    const found = new Set([...this.runningPids(), ...running]);
    for (const pid of found) for (const child of childrenOf(pid)) found.add(child);
    return found;
  }
}

function leadsTo(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

function pidIn(file: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
  } catch {
    return undefined;
  }
}
