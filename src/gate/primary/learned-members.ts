import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { errorText } from '../../base/errors.ts';
import { parseRole } from '../../redis/role.ts';
import type { Endpoint, GateConfig, MemberAddress } from '../config.ts';
import { Trouble } from '../trouble.ts';
import { openLink } from '../upstream/open-link.ts';
import { type LearnedMember, type Listed, learnMembers, type Membership } from './members.ts';
import type { Witness } from './witness.ts';

const emptyMs = 250;
const everyMs = 5000;
const answerWithinMs = 1000;

interface LearnedEvents {
  /** Who is primary, once that is decided. */
  primary(): MemberAddress | null;
  /** There are others now. */
  onChange(): void;
  log(text: string): void;
}

/** Asks Sentinels and the primary who belongs to the deployment: members.ts says who does. */
export class LearnedMembers implements Membership {
  readonly #config: GateConfig;
  readonly #sentinels: readonly Witness[];
  readonly #events: LearnedEvents;
  #known: readonly LearnedMember[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #stopped = false;
  readonly #trouble: Trouble;

  constructor(config: GateConfig, sentinels: readonly Witness[], events: LearnedEvents) {
    this.#config = config;
    this.#sentinels = sentinels;
    this.#events = events;
    this.#trouble = new Trouble((text) => events.log(text));
  }

  get all(): readonly MemberAddress[] {
    return this.#known.map(({ member }) => member);
  }

  find({ address, port }: Endpoint): MemberAddress | undefined {
    return this.#known.find(({ member, names }) => member.port === port && names.includes(address))?.member;
  }

  /** Asks now, and goes on asking. */
  look(): void {
    if (this.#looking || this.#stopped) return;
    this.#looking = true;
    clearTimeout(this.#timer);
    void this.#learn()
      .catch((error: unknown) => this.#complain(errorText(error)))
      .finally(() => {
        this.#looking = false;
        if (this.#stopped) return;
        this.#timer = setTimeout(() => this.look(), this.#known.length === 0 ? emptyMs : everyMs);
      });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #learn(): Promise<void> {
    const listed = await Promise.all(this.#sentinels.map((sentinel) => listOf(sentinel)));
    const primary = this.#events.primary();
    // Nobody asks them while nothing follows from what they say: it may be of before a failover.
    if (primary === null) await Promise.all(this.#sentinels.map((sentinel) => sentinel.poll()));
    const at = primary ?? this.#named();
    if (at === null) return;
    const followers = await this.#followersOf(at);
    if (followers === null) {
      if (this.#known.length === 0)
        this.#complain(`${at.address}:${at.port} is named, and does not say that it is primary`);
      return;
    }
    const lists = await Promise.all(
      listed.map(async (list) => (list === null ? null : await Promise.all(list.map(withNames)))),
    );
    const seen = {
      lists,
      primary: await withNames(at),
      followers: await Promise.all(followers.map(withNames)),
    };
    if (this.#stopped) return;
    this.#trouble.isOver('who the members are is learned again');
    const before = this.#known;
    this.#known = learnMembers(before, seen, this.#config.quorumMajority);
    const ids = (known: readonly LearnedMember[]) => known.map(({ member }) => member.id).join(', ');
    if (ids(before) === ids(this.#known)) return;
    this.#events.log(`the members are ${ids(this.#known)}`);
    this.#events.onChange();
  }

  /** Whom a majority of the Sentinels names, while nobody is known. */
  #named(): Endpoint | null {
    const votes = this.#sentinels.flatMap(({ vote }) => (vote === null ? [] : [vote]));
    const agreed = votes.find(
      (vote) =>
        votes.filter(({ address, port }) => address === vote.address && port === vote.port).length >=
        this.#config.quorumMajority,
    );
    return agreed ?? null;
  }

  /** Null when it is no primary. */
  async #followersOf(at: Endpoint): Promise<Endpoint[] | null> {
    const { memberCredentials: credentials, tls } = this.#config;
    const link = openLink(at, { credentials, tls }, { timeoutMs: answerWithinMs });
    try {
      const role = parseRole(await link.call(['ROLE']));
      return role?.role === 'primary' ? role.replicas : null;
    } finally {
      link.close();
    }
  }

  #complain(text: string): void {
    this.#trouble.is(`cannot learn who the members are: ${text}`);
  }
}

async function listOf(sentinel: Witness): Promise<Endpoint[] | null> {
  const replicas = await sentinel.replicas();
  const { vote } = sentinel;
  return replicas === null || vote === null ? null : [vote, ...replicas];
}

async function withNames({ address, port }: Endpoint): Promise<Listed> {
  if (isIP(address) !== 0) return { address, port, names: [address] };
  // A name that can't be resolved now is still the name that others may use.
  const found = await lookup(address, { all: true }).catch(() => []);
  return { address, port, names: [address, ...found.map((each) => each.address)] };
}
