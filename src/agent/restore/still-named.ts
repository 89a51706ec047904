/**
 * Whom the Sentinels name for as long as a restore lasts. A failover that somebody asks a Sentinel for waits for no restore; from then
 * on the member that takes the data is nobody's primary, nothing that it does comes to anything, and writes belong elsewhere.
 */
import { waitFor } from '../../base/retry.ts';
import { keyCount } from '../../redis/info.ts';
import { isReplaced, namedPrimary, type View } from '../../topology/view.ts';
import { RestoreFailed } from '../errors.ts';
import type { Observer } from '../observe/observer.ts';

/** What it needs of a deployment. */
export interface NamedIn {
  view(): View;
  member(id: string): {
    readonly watch: { readonly client: { info(section: string): Promise<Record<string, string>> } };
  };
}

/** What is restored where. */
interface Restored {
  /** The id of the member that takes the data. */
  primary: string;
  backup: string;
  keys: number;
  /** What a server that has taken all of it calls its history. */
  history: string;
}

const lookEveryMs = 200;
/** Whoever hangs is not waited for: a majority of the Sentinels is enough. */
const lookWithinMs = 1000;
const confirmedWithinMs = 10_000;

export class StillNamed {
  readonly #deployment: NamedIn;
  readonly #lookAround: () => Promise<void>;
  readonly #restored: Restored;
  /** What those call their history who have the data. */
  readonly #histories: Set<string>;
  readonly #aborter = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /** Watches from now on. To be ended. */
  constructor(deployment: NamedIn, observer: Pick<Observer, 'lookWithin'>, restored: Restored) {
    this.#deployment = deployment;
    this.#lookAround = () => observer.lookWithin(lookWithinMs);
    this.#restored = restored;
    this.#histories = new Set([restored.history]);
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  /** Aborted once the Sentinels name another member, with RESTORE_FAILED as its reason. Every wait of a restore takes it. */
  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** @throws RESTORE_FAILED when another member is named, by what is known already. */
  check(): void {
    this.#look();
    this.signal.throwIfAborted();
  }

  /** Asks everybody first. @throws RESTORE_FAILED when another member is named. */
  async ask(): Promise<void> {
    await this.#lookAround();
    this.check();
  }

  /** The primary has the data, and its replicas take it under this name. */
  noteHistory(id: string | undefined): void {
    if (id) this.#histories.add(id);
  }

  /** For the end. @throws RESTORE_FAILED unless the member that has the data acts as the primary that the Sentinels name. */
  async confirm(): Promise<void> {
    const { primary, backup } = this.#restored;
    const isPrimary = async () => {
      await this.#lookAround();
      if (this.#look()) return true;
      const view = this.#deployment.view();
      const member = view.members.find(({ id }) => id === primary);
      return namedPrimary(view)?.id === primary && member?.reachable === true && member.role === 'primary';
    };
    await waitFor(isPrimary, { what: primary, withinMs: confirmedWithinMs, everyMs: 100 }).catch((cause) => {
      throw RestoreFailed(
        `${primary} took the data of ${backup}, and does not act as the primary that a majority of Sentinels names`,
        {
          hint: seeStatus,
          cause,
        },
      );
    });
    this.check();
  }

  /**
   * The error of a restore that failed: when another member is named, what that has, whatever else went wrong.
   * @param error what it failed with; given back when nobody else is named
   */
  async explain(error: unknown): Promise<unknown> {
    await this.#lookAround();
    this.#look();
    const view = this.#deployment.view();
    const named = namedPrimary(view)?.id;
    const { primary, backup, keys } = this.#restored;
    if (!this.signal.aborted || named === undefined || named === primary) return error;
    const info = await this.#deployment
      .member(named)
      .watch.client.info('keyspace')
      .catch(() => undefined);
    const holds = info === undefined ? 'does not answer' : `holds ${keyCount(info)} keys`;
    const histories = view.members.find(({ id }) => id === named)?.histories ?? [];
    const hasIt = histories.some((history) => this.#histories.has(history));
    const isKnown = hasIt || (info !== undefined && histories.length > 0);
    const what = isKnown && !hasIt ? `${backup} was not restored` : noEnd(backup);
    const has = hasIt
      ? `has the restored data (it ${holds})`
      : `${holds}${isKnown ? `, not the ${keys} of the backup` : '; which data it has is not known'}`;
    const text = `${what}: the Sentinels made ${named} primary meanwhile, which ${has}`;
    return RestoreFailed(`${text}. ${primary} is to follow it`, { hint: seeStatus, cause: error });
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** @returns whether another member is, or was, named */
  #look(): boolean {
    if (this.signal.aborted) return true;
    const { primary, backup } = this.#restored;
    const view = this.#deployment.view();
    const member = view.members.find(({ id }) => id === primary);
    if (member === undefined || !isReplaced(view, member)) return false;
    this.end();
    const text = `${noEnd(backup)}: the Sentinels name ${namedPrimary(view)?.id} primary, and no longer ${primary}`;
    this.#aborter.abort(RestoreFailed(text, { hint: seeStatus }));
    return true;
  }
}

const noEnd = (backup: string) => `the restore of ${backup} did not come to its end`;
const seeStatus =
  'holdfast status shows who is primary, and how many keys each has. The restore can be run again.';
