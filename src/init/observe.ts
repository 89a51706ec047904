/** Asks servers and Sentinels what they are. Only reads; what is refused is told as not known. */
import { lookup } from 'node:dns/promises';
import { errorText } from '../base/errors.ts';
import { type ConnectionOptions, RedisConnection } from '../redis/connection.ts';
import { type Address, addressOf, type Credentials, type TlsMaterial } from '../redis/endpoint.ts';
import { refusalKind } from '../redis/errors.ts';
import { parseRole } from '../redis/role.ts';
import { fieldsOf } from '../redis/sentinel-replies.ts';
import { infoForFacts, serverFacts } from '../redis/server-facts.ts';
import { addressKind } from '../spec/address.ts';
import { unique } from './conf-files.ts';
import { SourceUnreadable } from './errors.ts';
import type { RunningServer, SentinelFacts } from './running.ts';

export interface Access {
  credentials: Credentials | undefined;
  sentinelCredentials: Credentials | undefined;
  tls: TlsMaterial | undefined;
}

export interface Observed {
  members: [RunningServer, ...RunningServer[]];
  missing: Address[];
  sentinels: SentinelFacts | null;
}

const answerWithinMs = 5000;

/** @throws INIT_SOURCE_UNREADABLE when the primary gives no answer. */
export async function observeServers(at: Address, access: Access): Promise<Observed> {
  const asked = await roleAt(at, access);
  const primary = asked.role === 'replica' ? { address: asked.primaryAddress, port: asked.primaryPort } : at;
  const role = asked.role === 'replica' ? await roleAt(primary, access) : asked;
  const replicas =
    role.role === 'primary' ? role.replicas.map(({ address, port }) => ({ address, port })) : [];
  return { ...(await factsOf(primary, replicas, access)), sentinels: null };
}

/** @param name the Sentinels' name for the primary; when they watch one only, it may be left out. */
export async function observeSentinels(
  sentinels: readonly Address[],
  name: string | undefined,
  access: Access,
): Promise<Observed> {
  const failures: string[] = [];
  for (const each of sentinels) {
    try {
      return await observeBySentinel(each, name, access);
    } catch (error) {
      // The next one may answer; a wrong name or password is the same at all of them.
      if (refusalKind(error) !== undefined || isOurs(error)) throw unreadable(shownAt(each), error);
      failures.push(errorText(error));
    }
  }
  throw unreadable('the Sentinels', new Error(failures.join('; ')));
}

async function observeBySentinel(at: Address, name: string | undefined, access: Access): Promise<Observed> {
  const connection = new RedisConnection(optionsOf(at, access.sentinelCredentials, access.tls));
  try {
    const fields = pickWatched(await connection.call('SENTINEL', 'MASTERS'), name);
    const watched = fields['name'] ?? '';
    const primary = { address: fields['ip'] ?? '', port: Number(fields['port']) };
    const list = async (what: string) => addresses(await connection.call('SENTINEL', what, watched));
    const [replicas, peers] = [await list('REPLICAS'), await list('SENTINELS')];
    const own = await sameKind(at, [primary, ...peers]);
    const facts = await factsOf(primary, replicas, access);
    const hasPassword = access.sentinelCredentials !== undefined;
    return {
      ...facts,
      sentinels: { name: watched, fields, sentinels: unique([own, ...peers]), hasPassword },
    };
  } finally {
    connection.close();
  }
}

function pickWatched(reply: unknown, name: string | undefined): Record<string, string> {
  const all = recordsOf(reply);
  const [only] = all;
  const found =
    name === undefined ? (all.length === 1 ? only : undefined) : all.find((each) => each['name'] === name);
  if (found !== undefined) return found;
  const names = all.map((each) => each['name']).join(', ') || 'nothing';
  throw SourceUnreadable(
    name === undefined
      ? `the Sentinel watches ${names}`
      : `the Sentinel watches no ${name}; it watches ${names}`,
    { hint: 'Say which: sentinel://HOST:PORT/NAME' },
  );
}

function recordsOf(reply: unknown): Record<string, string>[] {
  return (Array.isArray(reply) ? (reply as unknown[]) : []).flatMap((each) => {
    const fields = fieldsOf(each);
    return fields === null ? [] : [fields];
  });
}

function addresses(reply: unknown): Address[] {
  return recordsOf(reply).flatMap((fields) => addressOf(fields['ip'], fields['port']) ?? []);
}

/** A Sentinel says where the others are, and not where it is itself: as it was named, or by the address of that name. */
async function sameKind(at: Address, others: readonly Address[]): Promise<Address> {
  const isNamed = addressKind(at.address) === 'hostname';
  const haveNumbers = others.some(({ address }) => addressKind(address) === 'ip');
  if (!isNamed || !haveNumbers) return at;
  return { address: (await lookup(at.address, { family: 4 })).address, port: at.port };
}

async function factsOf(primary: Address, replicas: readonly Address[], access: Access) {
  let first: RunningServer;
  try {
    first = await runningServer(primary, access);
  } catch (error) {
    throw unreadable(`the primary ${shownAt(primary)}`, error);
  }
  const members: [RunningServer, ...RunningServer[]] = [first];
  const missing: Address[] = [];
  for (const each of replicas) {
    const facts = await runningServer(each, access).catch(() => undefined);
    if (facts === undefined) missing.push(each);
    else members.push(facts);
  }
  return { members, missing };
}

async function roleAt(at: Address, { credentials, tls }: Access) {
  const connection = new RedisConnection(optionsOf(at, credentials, tls));
  try {
    const role = parseRole(await connection.call('ROLE'));
    if (role === null || role.role === 'sentinel') {
      throw SourceUnreadable(`${shownAt(at)} is no Redis server`, {
        hint: 'For a Sentinel say sentinel://HOST:PORT/NAME.',
      });
    }
    return role;
  } catch (error) {
    throw unreadable(shownAt(at), error);
  } finally {
    connection.close();
  }
}

async function runningServer(address: Address, { credentials, tls }: Access): Promise<RunningServer> {
  const connection = new RedisConnection(optionsOf(address, credentials, tls));
  try {
    const facts = serverFacts(String(await connection.call(...infoForFacts)));
    const config = fieldsOf(await refusable(connection, 'CONFIG', 'GET', '*'));
    const users = (await refusable(connection, 'ACL', 'LIST')) as string[] | null;
    return { address, facts, config, users };
  } finally {
    connection.close();
  }
}

/** Null when the server refuses it: no such command, or no right to it. */
async function refusable(connection: RedisConnection, command: string, ...args: string[]): Promise<unknown> {
  try {
    return await connection.call(command, ...args);
  } catch (error) {
    if (refusalKind(error) === undefined) throw error;
    return null;
  }
}

function optionsOf(at: Address, credentials?: Credentials, tls?: TlsMaterial): ConnectionOptions {
  return { endpoint: { host: at.address, port: at.port }, credentials, tls, timeoutMs: answerWithinMs };
}

function shownAt({ address, port }: Address): string {
  return `${address}:${port}`;
}

function isOurs(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'INIT_SOURCE_UNREADABLE';
}

function unreadable(what: string, cause: unknown): Error {
  if (isOurs(cause)) return cause as Error;
  return SourceUnreadable(`cannot ask ${what}: ${errorText(cause)}`, {
    hint: 'It must be reachable from here. With a password: --user and --password-file; of the Sentinels: --sentinel-password-file. With TLS: rediss:// or sentinels://, --tls-ca, and where it asks for a certificate --tls-cert and --tls-key.',
    cause,
  });
}
