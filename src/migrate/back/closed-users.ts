/**
 * An old side that takes no writes but ours: its users lose `@write`, and a user of our own has all rights. CLIENT PAUSE could
 * not do it, because it holds everybody.
 *
 * What the users had is in a file of the migration's directory before the first of them loses anything, so that whoever takes
 * this up can give it back. It has the digests of their passwords, and only its owner can read it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { readFileIfThere, writeFileIfNew } from '../../base/atomic-file.ts';
import type { Caller } from '../../redis/connection.ts';
import { type Credentials, describeEndpoint } from '../../redis/endpoint.ts';
import { parseWith } from '../plan.ts';
import { asBefore, userName, withoutWrites } from './user-rules.ts';

const ownName = 'holdfast-migration';
const savedSchema = z.object({
  version: z.literal(1),
  /** The stream back has its position there under this name. */
  id: z.string(),
  /** Each server that was closed, with what ACL LIST had said. */
  servers: z.array(z.object({ host: z.string(), port: z.number(), users: z.array(z.string()) })),
});
type Saved = z.infer<typeof savedSchema>;

export interface Where {
  host: string;
  port: number;
}

export class ClosedUsers {
  readonly #file: string;
  /** Of this process: another one sets its own. */
  readonly #password = randomBytes(32).toString('hex');
  readonly #closed = new Set<string>();
  readonly #known = new Set<string>();

  constructor(file: string) {
    this.#file = file;
  }

  /** Who writes there while it is closed. */
  get credentials(): Credentials {
    return { username: ownName, password: this.#password };
  }

  /** What was closed and not opened yet; undefined when nothing was. @throws MIGRATION_UNREADABLE */
  async saved(): Promise<Saved | undefined> {
    const text = await readFileIfThere(this.#file);
    return text === undefined ? undefined : parseWith(savedSchema, text, this.#file);
  }

  /**
   * Done once for each server in this process.
   * @param id of the stream back
   * @throws REDIS_REFUSED where ACL is not for us, and then nothing has changed; REDIS_UNREACHABLE
   */
  async close(server: Caller, where: Where, id: string): Promise<void> {
    if (this.#closed.has(describeEndpoint(where))) return;
    const saved = (await this.saved()) ?? { version: 1, id, servers: [] };
    const others = saved.servers.filter((each) => !isAt(each, where));
    const users = usersAt(saved, where) ?? linesOf(await server.call('ACL', 'LIST'));
    const servers = [...others, { ...where, users }];
    await writeFileIfNew(this.#file, `${JSON.stringify({ ...saved, id, servers })}\n`);
    try {
      await this.letUsIn(server, where);
    } catch (error) {
      if (saved.servers.length === 0) await this.forget();
      throw error;
    }
    for (const line of users) await setUser(server, withoutWrites(line));
    this.#closed.add(describeEndpoint(where));
  }

  /** So that the `credentials` are known there. @throws REDIS_REFUSED, REDIS_UNREACHABLE */
  async letUsIn(server: Caller, where: Where): Promise<void> {
    if (this.#known.has(describeEndpoint(where))) return;
    const digest = createHash('sha256').update(this.#password).digest('hex');
    await server.call('ACL', 'SETUSER', ownName, 'reset', 'on', '~*', '&*', '+@all', `#${digest}`);
    this.#known.add(describeEndpoint(where));
  }

  /** Gives the users back what they had. @throws REDIS_UNREACHABLE, REDIS_REFUSED */
  async open(server: Caller, where: Where): Promise<void> {
    this.#closed.delete(describeEndpoint(where));
    const saved = await this.saved();
    for (const line of (saved && usersAt(saved, where)) ?? []) await setUser(server, asBefore(line));
  }

  /** Behind `open`: our own user goes. @throws REDIS_UNREACHABLE, REDIS_REFUSED */
  async leave(server: Caller, where: Where): Promise<void> {
    await server.call('ACL', 'DELUSER', ownName);
    this.#known.delete(describeEndpoint(where));
  }

  /** The file, if it is there. */
  async whereSaved(): Promise<string | null> {
    return (await readFileIfThere(this.#file)) === undefined ? null : this.#file;
  }

  async forget(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}

function linesOf(reply: unknown): string[] {
  const lines = Array.isArray(reply) ? reply.map(String) : [];
  return lines.filter((line) => ![undefined, ownName].includes(userName(line)));
}

function isAt(one: Where, other: Where): boolean {
  return one.host === other.host && one.port === other.port;
}

function usersAt({ servers }: Saved, where: Where): string[] | undefined {
  return servers.find((each) => isAt(each, where))?.users;
}

async function setUser(server: Caller, [name, ...rules]: readonly string[]): Promise<void> {
  if (name !== undefined) await server.call('ACL', 'SETUSER', name, ...rules);
}
