/**
 * What a member says of itself to somebody who looks at it. Over a connection of its own: a long answer must not stand in the
 * way of the agent's question whether it lives.
 */
import type { ApiMemberDetails } from '../../api/details.ts';
import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { parseClientList } from '../../redis/client-list.ts';
import { infoSections, keyspaces } from '../../redis/info.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import { slowEntries } from '../../redis/slow-log.ts';
import type { Place } from '../../spec/spec.ts';
import type { LiveMember } from '../deployment.ts';
import { ApiBusy } from '../errors.ts';
import { Remembered, sharedMs } from './remembered.ts';

const mostClients = 500;
const mostSlow = 64;

type Asked = Pick<LiveMember, 'place' | 'watch'>;

export class MemberDetails {
  readonly #clock: Clock;
  readonly #known = new WeakMap<Asked, Remembered<ApiMemberDetails>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those who ask at once share an answer. @throws API_BUSY when it does not answer. */
  of(member: Asked): Promise<ApiMemberDetails> {
    const known = this.#known.get(member) ?? this.#remembered(member);
    this.#known.set(member, known);
    return known.get();
  }

  #remembered({ place, watch }: Asked): Remembered<ApiMemberDetails> {
    const ask = () => readMember(place, watch.connect(), new Date(this.#clock.wallMs()).toISOString());
    return new Remembered(ask, sharedMs, () => this.#clock.monotonicMs());
  }
}

/** @param client is closed afterwards. @throws API_BUSY when it does not answer. */
async function readMember(place: Place, client: MemberClient, at: string): Promise<ApiMemberDetails> {
  const { connection } = client;
  try {
    const [info, memory, slow, clients] = await Promise.all([
      connection.call('INFO', 'everything'),
      connection.call('MEMORY', 'STATS'),
      connection.call('SLOWLOG', 'GET', mostSlow),
      connection.call('CLIENT', 'LIST'),
    ]);
    const sections = infoSections(String(info));
    const listed = parseClientList(String(clients));
    const { id, host, address, port } = place;
    return {
      ...{ id, host, address, port, at },
      info: sections,
      keyspace: keyspaces(sections['keyspace'] ?? {}),
      memory: figuresIn(memory),
      slowLog: slowEntries(slow).map(({ atMs, ...entry }) => ({
        at: new Date(atMs).toISOString(),
        ...entry,
      })),
      clients: listed.slice(0, mostClients),
      clientsTotal: listed.length,
    };
  } catch (cause) {
    throw ApiBusy(`${place.id} does not answer: ${errorText(cause)}`, {
      hint: 'GET /api/view says how it is.',
      cause,
    });
  } finally {
    client.close();
  }
}

/** Names and values by turns; what is not a number is of one database, or in words. */
function figuresIn(reply: unknown): Record<string, number> {
  const figures = new Map<string, number>();
  const all = Array.isArray(reply) ? reply : [];
  for (let at = 0; at + 1 < all.length; at += 2) {
    const value = all[at + 1];
    const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : Number.NaN;
    if (Number.isFinite(number)) figures.set(String(all[at]), number);
  }
  return Object.fromEntries(figures);
}
