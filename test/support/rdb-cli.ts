import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command as it was built. */
export const holdfastMain = path.join(
  path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url)))),
  'dist',
  'cli',
  'main.js',
);

export interface Ran {
  status: number | null;
  stdout: Buffer;
  stderr: string;
  /** Stdout as JSON. */
  json(): Record<string, unknown>;
}

/** Runs `holdfast rdb …` as it was built, with bytes for its stdin. */
export async function runRdb(args: string[], stdin: Buffer = Buffer.alloc(0)): Promise<Ran> {
  return runProgram(process.execPath, [holdfastMain, 'rdb', ...args], stdin);
}

export async function runProgram(program: string, args: string[], stdin: Buffer): Promise<Ran> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that ends before it has read everything closes the pipe; its status tells what happened.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const [status] = (await once(child, 'close')) as [number | null];
  const bytes = Buffer.concat(stdout);
  return {
    status,
    stdout: bytes,
    stderr: Buffer.concat(stderr).toString(),
    json: () => JSON.parse(bytes.toString()) as Record<string, unknown>,
  };
}
