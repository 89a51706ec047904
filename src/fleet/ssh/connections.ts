import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { onAbort } from '../../base/abort.ts';
import { errorCode } from '../../base/errors.ts';
import { FleetRefused, HostUnreachable, SshMissing } from '../errors.ts';
import { makeScratch, removeScratch } from '../scratch-folder.ts';
import { endShared } from './end-shared.ts';
import { commandAs, type Fence, lockLostMark, noSudoMark, type RunAs, sshArguments } from './ssh-command.ts';
import { sshFailed, sshFailure } from './ssh-failure.ts';

export interface RunOptions {
  as: RunAs;
  /** What is being done, to complete "host a: …". */
  doing: string;
  /** What the command reads: a text, or a stream. Nothing: an empty one. */
  input?: string | Readable;
  timeoutMs?: number;
  /** Nobody wants to know any more. */
  signal?: AbortSignal;
}

export interface RunResult {
  status: number;
  stdout: string;
  stderr: string;
}

/** What those say that stand before the command: it was not run. */
const isRefusedThere = new RegExp(`^(?:sudo: |${noSudoMark}|${lockLostMark})`, 'm');

/** Locks on hosts, without which a command that changes something must not run. */
export interface Lease {
  readonly fence: Fence;
  /** @throws APPLY_LOCK_LOST when one of them is gone, as far as it is known here */
  check(): void;
}

/** What one host may have to say to one command. */
const mostBytes = 16 * 2 ** 20;
const timeoutMs = 120_000;

/** Connections to hosts, shared by all commands, in a folder that only this user can enter. */
export class SshConnections {
  readonly #folder = makeScratch('ssh');
  readonly #hosts = new Map<string, SshHost>();
  #lease: Lease | null = null;
  readonly #user: string;

  /** @param spec whose hosts they are: it says who everything runs as */
  constructor({ runAs }: { runAs: string }) {
    this.#user = runAs;
  }

  /** From now on every command needs the locks of this lease. */
  need(lease: Lease): void {
    this.#lease = lease;
  }

  /** @throws FLEET_REFUSED when the spec does not say how ssh reaches the host. */
  host({ id, ssh }: { id: string; ssh: string | null }): SshHost {
    if (ssh === null) {
      throw FleetRefused(`the spec does not say how ssh reaches host ${id}`, {
        hint: `Every host needs it: hosts: { ${id}: { address: …, ssh: user@name } }.`,
      });
    }
    const host =
      this.#hosts.get(id) ??
      new SshHost(id, ssh, { user: this.#user, controlFolder: this.#folder, lease: () => this.#lease });
    this.#hosts.set(id, host);
    return host;
  }

  /** Ends the shared connections. */
  async close(): Promise<void> {
    await endShared(this.#folder);
    removeScratch(this.#folder);
  }
}

/** What all connections have in common. */
interface Shared {
  user: string;
  controlFolder: string;
  lease(): Lease | null;
}

export class SshHost {
  readonly id: string;
  readonly target: string;
  readonly #shared: Shared;

  constructor(id: string, target: string, shared: Shared) {
    this.id = id;
    this.target = target;
    this.#shared = shared;
  }

  /**
   * Runs a script there, and returns what it wrote when it ended with 0.
   * @throws HOST_UNREACHABLE, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED, SSH_LOGIN_REFUSED, NO_SUDO, HOST_DISK_FULL, REMOTE_FAILED
   */
  async run(script: string, options: RunOptions): Promise<string> {
    const result = await this.ask(script, options);
    if (result.status !== 0) throw this.failure(options.doing, result);
    return result.stdout;
  }

  /** The same for a command whose exit status says something: only what ssh and sudo say themselves is thrown. */
  async ask(script: string, options: RunOptions): Promise<RunResult> {
    const lease = this.#shared.lease();
    lease?.check();
    const child = this.start(script, options.as, lease?.fence);
    const late = { hit: false };
    const timer = setTimeout(() => {
      late.hit = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? timeoutMs);
    const stopListening = onAbort(options.signal, () => child.kill('SIGKILL'));
    try {
      const [status, stdout, stderr] = await Promise.all([
        ended(child),
        bounded(child.stdout as Readable),
        bounded(child.stderr as Readable),
        feed(child, options.input),
      ]);
      if (late.hit) {
        throw HostUnreachable(
          `host ${this.id} (${this.target}) did not finish in time: ${options.doing} took more than ${(options.timeoutMs ?? timeoutMs) / 1000} s`,
          { hint: 'The host may be overloaded or gone. Run the command again: it goes on where it stopped.' },
        );
      }
      const result = { status: status ?? sshFailed, stdout, stderr };
      const isOwn = result.status !== sshFailed && !isRefusedThere.test(stderr);
      if (!isOwn && result.status !== 0) throw this.failure(options.doing, result);
      return result;
    } finally {
      clearTimeout(timer);
      stopListening();
    }
  }

  /** Starts a command whose input and output are the caller's. @throws SSH_MISSING */
  start(script: string, as: RunAs, fence: Fence | null = null): ChildProcess {
    return spawn('ssh', sshArguments(this.#call(false), commandAs(as, script, this.#shared.user, fence)), {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** Runs a command as though it ran here: on this terminal, with this input and output. @returns its exit status */
  async lend(script: string, as: RunAs): Promise<number> {
    const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
    const child = spawn('ssh', sshArguments(this.#call(terminal), commandAs(as, script, this.#shared.user)), {
      stdio: 'inherit',
    });
    return (await ended(child)) ?? sshFailed;
  }

  #call(terminal: boolean) {
    return { target: this.target, controlFolder: this.#shared.controlFolder, terminal };
  }

  /** What a command's end means. */
  failure(doing: string, { status, stderr }: Pick<RunResult, 'status' | 'stderr'>): Error {
    return sshFailure({ host: this.id, target: this.target, doing, status, stderr });
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(errorCode(error) === 'ENOENT' ? sshMissing() : error));
    child.once('close', resolve);
  });
}

function sshMissing(): Error {
  return SshMissing('ssh is not installed here, or not on the PATH', {
    hint: 'Debian, Ubuntu: apt-get install openssh-client. Fedora: dnf install openssh-clients.',
  });
}

/** What comes beyond the bound is read, so that the other side goes on, and thrown away. */
async function bounded(stream: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes <= mostBytes) pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** A command that ends before it has read everything says so by its status. */
async function feed(child: ChildProcess, input: RunOptions['input']): Promise<void> {
  if (child.stdin === null) return;
  child.stdin.on('error', () => {});
  if (input === undefined || typeof input === 'string') {
    child.stdin.end(input ?? '');
    return;
  }
  await pipeline(input, child.stdin).catch((error) => {
    if (errorCode(error) !== 'EPIPE' && errorCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}
