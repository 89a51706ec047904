/**
 * A client as an application's library is one: when its connection is lost it looks for the primary again and goes on,
 * and a command that is under way then fails.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../base/errors.ts';
import { RedisUnreachable } from '../redis/errors.ts';
import { Link, type Request } from '../redis/link.ts';
import { parseRole } from '../redis/role.ts';
import type { Reply } from '../resp/read.ts';
import type { Listener } from '../testbed/listener.ts';

export interface Target {
  host: string;
  port: number;
}

const retryMs = 20;
const connectMs = 1000;

export class BenchClient {
  readonly #open: () => Promise<Link>;
  readonly #onDrop: () => void;
  #link: Promise<Link> | null = null;
  #stopped = false;

  /** @param onDrop called when a connection ended that was open, and nobody had asked for it. */
  constructor(open: () => Promise<Link>, onDrop: () => void) {
    this.#open = open;
    this.#onDrop = onDrop;
  }

  /** @throws REDIS_REFUSED or REDIS_UNREACHABLE */
  async call(request: Request): Promise<Reply> {
    this.#link ??= this.#connect();
    const link = await this.#link;
    return link.call(request);
  }

  close(): void {
    this.#stopped = true;
    void this.#link?.then((link) => link.close());
  }

  async #connect(): Promise<Link> {
    try {
      if (this.#stopped) throw RedisUnreachable('the client was closed');
      const link = await this.#open();
      void link.ended.then(() => {
        this.#link = null;
        if (!this.#stopped) this.#onDrop();
      });
      return link;
    } catch (error) {
      await delay(retryMs);
      this.#link = null;
      throw error;
    }
  }
}

/** Opens a connection to one place that always leads to the primary. */
export async function openAt({
  endpoint,
  credentials,
}: Pick<Listener, 'endpoint' | 'credentials'>): Promise<Link> {
  const link = new Link({ endpoint, credentials, connectMs, timeoutMs: 0 });
  await link.ready;
  return link;
}

/**
 * Opens a connection to the primary as the documentation has clients of Sentinels do it: the first Sentinel that answers
 * names it, and its own ROLE must confirm that.
 */
export async function openBySentinels(sentinels: readonly Target[], name: string): Promise<Link> {
  const reasons: string[] = [];
  for (const endpoint of sentinels) {
    const sentinel = new Link({ endpoint, timeoutMs: connectMs });
    try {
      const named = await sentinel.call(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]);
      const [host, port] = Array.isArray(named) ? named : [];
      return await openPrimary({ host: String(host), port: Number(port) });
    } catch (error) {
      reasons.push(errorText(error));
    } finally {
      sentinel.close();
    }
  }
  throw RedisUnreachable(`no Sentinel leads to a primary: ${reasons.join('; ')}`);
}

async function openPrimary(endpoint: Target): Promise<Link> {
  const link = await openAt({ endpoint });
  const role = parseRole(await link.call(['ROLE'], { timeoutMs: connectMs }));
  if (role?.role === 'primary') return link;
  link.close();
  throw RedisUnreachable(`${endpoint.host}:${endpoint.port} is no primary`);
}
