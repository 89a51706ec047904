/**
 * Keeps every write out of the primary for as long as it stands: the gates of this host hold theirs, and CLIENT PAUSE
 * WRITE on the primary stops those of other hosts' gates and of clients that come directly. Both end by themselves a
 * moment after this agent dies, so it renews them.
 */
import { namedPrimary } from '../../topology/view.ts';
import type { Deployment, LiveGate, LiveMember } from '../deployment.ts';
import { RestoreFailed } from '../errors.ts';

const pauseMs = 15_000;
const renewEveryMs = 3000;
const drainMs = 3000;

export class WriteFence {
  readonly #deployment: Deployment;
  readonly #primary: LiveMember;
  #pausedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  private constructor(deployment: Deployment, primary: LiveMember) {
    this.#deployment = deployment;
    this.#primary = primary;
  }

  static async raise(deployment: Deployment, primary: LiveMember): Promise<WriteFence> {
    const fence = new WriteFence(deployment, primary);
    await Promise.allSettled(fence.#gates().map(({ adapter }) => adapter.hold('a restore', drainMs)));
    await fence.#pause();
    fence.#renew();
    fence.#timer = setInterval(() => fence.#renew(), renewEveryMs);
    return fence;
  }

  /** @throws RESTORE_FAILED when it may have had a gap: then a write may have come in that was not seen. */
  check(): void {
    if (performance.now() - this.#pausedAtMs < pauseMs - renewEveryMs) return;
    throw RestoreFailed(`${this.#primary.place.id} could not be kept from taking writes`, {
      hint: 'It did not answer for some seconds. Nothing was changed; try again when holdfast status is healthy.',
    });
  }

  /** Lets writes go on, to whoever is primary. */
  async drop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#primary.watch.client.unpauseWrites().catch(() => {});
    const { place, watch } = this.#primary;
    const named = namedPrimary(this.#deployment.view())?.id ?? place.id;
    const isStill = watch.seen.role === 'primary' && named === place.id;
    await Promise.allSettled(
      this.#gates().map(async ({ adapter }) => {
        await adapter.release();
        if (isStill) await adapter.switchTo(this.#primary.place);
      }),
    );
  }

  #renew(): void {
    void this.#pause().catch(() => {});
    // What hangs in the pause is never answered: nobody waits for that.
    for (const { adapter } of this.#gates()) adapter.hold('a restore', pauseMs).catch(() => {});
  }

  async #pause(): Promise<void> {
    const askedMs = performance.now();
    await this.#primary.watch.client.pauseWrites(pauseMs);
    this.#pausedAtMs = askedMs;
  }

  #gates(): LiveGate[] {
    return this.#deployment.gates.filter(({ unit }) => unit?.process.running);
  }
}
