/** The application of `examples/departments`, as a process of its own. */
import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../process/free-ports.ts';
import type { Listener } from '../../testbed/listener.ts';
import { BenchFailed } from '../errors.ts';
import type { Scratch } from '../scratch.ts';
import type { MariaServer } from './maria-server.ts';

const folder = fileURLToPath(new URL('../../../examples/departments', import.meta.url));
export const schemaFile = path.join(folder, 'schema.sql');
const serverFile = path.join(folder, 'server.mjs');

/** Thousands may have asked before it. */
const tryMs = 120_000;
/** Of an answer that says why it was refused. */
const mostSaid = 500;

export interface RunningApp {
  host: string;
  port: number;
  child: ChildProcess;
}

/** An application needs clients of both, which holdfast itself does not. @throws BENCH_FAILED */
export function checkLibraries(): void {
  for (const name of ['fastify', 'ioredis', 'mysql2']) {
    try {
      createRequire(serverFile).resolve(name);
    } catch (cause) {
      throw BenchFailed(`the application in ${folder} has not got what it needs: ${name} is missing`, {
        hint: `npm install --prefix ${folder}`,
        cause,
      });
    }
  }
}

/** @param redis the gate that it keeps its data behind; null for one that asks the database each time. @throws BENCH_FAILED */
export async function startApp(
  scratch: Scratch,
  name: string,
  mariadb: MariaServer,
  redis: Listener | null,
): Promise<RunningApp> {
  const [host, port] = ['127.0.0.1', await freePorts(1)];
  const { host: dbHost, port: dbPort, user, password } = mariadb;
  const config = {
    ...{ host, port, store: redis === null ? 'mariadb' : 'redis' },
    mariadb: { host: dbHost, port: dbPort, user, password },
    redis: redis === null ? undefined : { ...redis.endpoint, ...redis.credentials },
  };
  const file = await scratch.write(`${name}.json`, JSON.stringify(config));
  return { host, port, child: await scratch.start(name, process.execPath, [serverFile, file], port) };
}

/** What a user asks for, once: what is not done now would be measured as errors. @throws BENCH_FAILED */
export async function tryOnce(
  { host, port }: RunningApp,
  request: { path: string; body: string | null },
): Promise<void> {
  const { path: where, body } = request;
  const sent = body === null ? {} : { method: 'POST', body, headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`http://${host}:${port}${where}`, {
    ...sent,
    signal: AbortSignal.timeout(tryMs),
  });
  const text = await answer.text();
  if (answer.ok) return;
  throw BenchFailed(`the application answered ${answer.status} to ${where}: ${text.slice(0, mostSaid)}`);
}
