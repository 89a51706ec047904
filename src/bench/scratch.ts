import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { waitFor } from '../base/retry.ts';
import { BenchFailed } from './errors.ts';

const listensWithinMs = 10_000;

/** A folder and processes that are gone when the measurement is over, however it ends. */
export class Scratch {
  readonly folder: string;
  readonly #children = new Set<ChildProcess>();
  readonly #atEnd: (() => Promise<void>)[] = [];
  readonly #killAll = () => {
    for (const child of this.#children) child.kill('SIGKILL');
  };

  private constructor(folder: string) {
    this.folder = folder;
    process.on('exit', this.#killAll);
  }

  static async create(): Promise<Scratch> {
    return new Scratch(await mkdtemp(path.join(tmpdir(), 'hf-bench-')));
  }

  /** Writes a file that only its owner reads, and returns its path. */
  async write(name: string, text: string): Promise<string> {
    const file = path.join(this.folder, name);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  }

  /** Starts a program and waits until it listens on the port. @throws BENCH_FAILED with the end of its output */
  async start(name: string, program: string, args: string[], port: number): Promise<ChildProcess> {
    const log = path.join(this.folder, `${name}.log`);
    const output = openSync(log, 'a');
    // A session of its own: Ctrl-C is for us, and we end it in our order.
    const child = spawn(program, args, {
      cwd: this.folder,
      stdio: ['ignore', output, output],
      detached: true,
    });
    closeSync(output);
    this.#children.add(child);
    let ended: string | null = null;
    child.once('error', (error) => {
      ended = error.message;
    });
    child.once('exit', (code, signal) => {
      ended ??= `it ended with ${signal ?? code}`;
    });
    await waitFor(async () => ended !== null || (await isOpen(port)), {
      what: `${name} to listen on ${port}`,
      withinMs: listensWithinMs,
    });
    if (ended === null) return child;
    const said = (await readFile(log, 'utf8')).trim().split('\n').slice(-5).join(' / ');
    throw BenchFailed(`${name} did not start: ${ended}`, { hint: said || `${program} said nothing.` });
  }

  /** Something else that is gone when the measurement is over. */
  atEnd(end: () => Promise<void>): void {
    this.#atEnd.push(end);
  }

  /** Kills a program, and resolves when it is gone. */
  async end(child: ChildProcess): Promise<void> {
    const gone = goneOf(child);
    child.kill('SIGKILL');
    await gone;
    this.#children.delete(child);
  }

  async close(): Promise<void> {
    const gone = [...this.#children].map(goneOf);
    this.#killAll();
    await Promise.all([...gone, ...this.#atEnd.splice(0).map((end) => end())]);
    process.off('exit', this.#killAll);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function goneOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  await once(child, 'exit');
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
