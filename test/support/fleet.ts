/** What tests of servers reached by ssh have in common. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { waitFor } from '../../src/base/retry.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets } from '../../src/spec/secrets.ts';
import { testEngines } from './engines.ts';
import type { SshServers } from './ssh-servers.ts';
import { farOffWait } from './whole-run.ts';

export interface FleetSpec {
  user?: string;
  redis?: Record<string, unknown>;
  on: readonly string[];
  /** What the hosts listen on; none: their addresses and loopback. */
  bind?: string;
  more?: Record<string, unknown>;
}

/** The deployment `orders`, with gates on the first two hosts, as the laptop's holdfast.yaml. */
export function writeFleetSpec(
  servers: Pick<SshServers, 'network' | 'folder'>,
  { user = 'root', redis = {}, on, bind, more = {} }: FleetSpec,
): void {
  const places = on.map((name) => {
    const address = servers.network.addressOf(name);
    return [name, { address, ssh: `${user}@${address}`, ...(bind === undefined ? {} : { bind }) }] as const;
  });
  const spec = {
    name: 'orders',
    hosts: Object.fromEntries(places),
    redis: { maxMemory: '64mb', ...redis },
    gate: { on: on.slice(0, 2) },
    ...more,
  };
  writeFileSync(path.join(servers.folder, 'holdfast.yaml'), stringify(spec));
}

export interface Login {
  username: string;
  password: string;
  /** Certificate and key, PEM, where the gate asks for them. */
  pair?: string;
}

/**
 * Increments a counter through the gate of a host, one after the other, until it is stopped. A dropped connection is an error.
 * @param login none: with the password that is derived
 */
export async function writeLoad(servers: SshServers, host: string, login?: Login) {
  const read = (file: string) => readFileSync(servers.fileOn(host, file), 'utf8');
  const spec = parseSpec(read('etc/holdfast/orders.yaml'), 'orders.yaml');
  const { defaultPassword } = deriveSecrets(spec, read('var/lib/holdfast/orders/secret').trim(), {});
  const socket = await servers.network.relay('laptop', servers.network.addressOf(host), 6380);
  const authority = path.join(servers.folder, 'orders.tls/ca.pem');
  // The relay's end has no address: every certificate names localhost too.
  const tls = existsSync(authority)
    ? { tls: { ca: readFileSync(authority), servername: 'localhost', ...pairOf(login) } }
    : {};
  const { username, password } = login ?? { username: 'default', password: defaultPassword ?? '' };
  const client = new Redis({ path: socket, username, password, retryStrategy: () => null, ...tls });
  const errors: string[] = [];
  client.on('error', (error) => errors.push(String(error)));
  client.on('close', () => running && errors.push('closed'));
  const load = { acknowledged: 0 };
  const before = Number(await client.get('counter'));
  let running = true;
  const done = (async () => {
    while (running && errors.length === 0) {
      await client.incr('counter').then(
        () => load.acknowledged++,
        (error) => errors.push(String(error)),
      );
    }
  })();
  const stop = async () => {
    running = false;
    await done;
    const value = Number(await client.get('counter').catch(() => Number.NaN));
    client.disconnect();
    return { ...load, errors, value };
  };
  return { stop, before };
}

function pairOf(login: Login | undefined): { cert?: string; key?: string } {
  return login?.pair === undefined ? {} : { cert: login.pair, key: login.pair };
}

/** Every increment was acknowledged, and counts. */
export async function allCounted(load: Awaited<ReturnType<typeof writeLoad>>): Promise<void> {
  const { acknowledged, errors, value } = await load.stop();
  expect(errors).toEqual([]);
  expect(value - load.before).toBe(acknowledged);
  expect(acknowledged).toBeGreaterThan(100);
}

/** Another server than the system's Redis: the Valkey of the tests, or that Redis at another path where there is none. */
export function otherServer(): { name: string; binary: string; there: string } {
  const engine = testEngines().find(({ binary }) => binary.includes('/'));
  if (engine === undefined)
    // What it is called decides what it is: Debian's redis-server is a link to redis-check-rdb.
    return { name: 'another Redis', binary: redisServer(), there: '/opt/next/redis-server' };
  const { name, binary } = engine;
  return { name, binary, there: `/opt/next/${path.basename(binary)}` };
}

export function redisServer(): string {
  const folder = (process.env['PATH'] ?? '')
    .split(':')
    .find((each) => existsSync(path.join(each, 'redis-server')));
  return realpathSync(path.join(folder ?? '', 'redis-server'));
}

/** What a command has in the folder for such. */
export function leftBehind({ pid }: ChildProcess): string[] {
  return readdirSync('/tmp').filter((name) => name.startsWith('holdfast-') && name.includes(`-${pid}-`));
}

/** Waits until a command has said this. */
export async function saysOn(
  child: ChildProcess,
  text: string | RegExp,
  where: 'stdout' | 'stderr' = 'stderr',
): Promise<void> {
  let said = '';
  child[where]?.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  const isSaid = () => (typeof text === 'string' ? said.includes(text) : text.test(said));
  await waitFor(() => isSaid() || child.exitCode !== null, { what: String(text), withinMs: farOffWait });
  expect(said).toMatch(text);
}
