/**
 * The old side behind a cut-over: it takes no writes of clients, and follows the new side where that can be done. What it is held
 * by is one of two: CLIENT PAUSE, renewed again and again (cut-over.ts), or, while it follows, its users' rights.
 */
import { errorText } from '../../base/errors.ts';
import { pause } from '../../base/retry.ts';
import { pauseBehind } from '../../stream/next-step.ts';
import { Hold } from '../cut-over.ts';
import { CutOverNotNow } from '../errors.ts';
import type { FollowedSource } from '../followed-source.ts';
import type { BackPlace, Progress } from '../progress.ts';
import type { WayBack } from './way-back.ts';

export class OldSide {
  readonly #runs: readonly FollowedSource[];
  readonly #way: WayBack | null;
  readonly #never: string | null;
  #hold: Hold | undefined;
  #back: BackPlace | null = null;
  #why: string | null = null;

  /** @param way null where it can't follow, because of `why` */
  constructor(runs: readonly FollowedSource[], way: WayBack | null, why: string | null) {
    this.#runs = runs;
    this.#way = way;
    this.#never = why;
  }

  /** Whether it follows the new side, or was to. */
  get follows(): boolean {
    return this.#back !== null;
  }

  /** Why a source is not kept from taking writes; null when they are. */
  get problem(): string | null {
    return this.#hold?.problem ?? null;
  }

  get progress(): Pick<Progress, 'back' | 'oldSide' | 'notFollowed'> {
    return { back: this.#back, oldSide: this.#way?.progress() ?? null, notFollowed: this.#why };
  }

  async look(): Promise<void> {
    await this.#way?.look();
  }

  /**
   * Whether the new side can be followed, before anybody waits for it.
   * @param deadline as performance.now() has it. @throws CUT_OVER_NOT_NOW when the new side takes no writes until then
   */
  async rehearse(deadline: number): Promise<void> {
    this.#why = this.#never;
    await this.#placed(true, deadline);
  }

  /** Keeps it paused, from when a cut-over has paused it. */
  keep(): void {
    this.#hold ??= new Hold(this.#runs);
  }

  /** Where the new side stands, before its first client writes there; the streams forward have ended. @throws as `rehearse` */
  async note(deadline: number): Promise<void> {
    if (this.#why === null) this.#back = await this.#placed(false, deadline);
  }

  /** What may pass is asked again: another server may become primary there. Null where it can't be followed, which is told by `progress`. */
  async #placed(isFirst: boolean, deadline: number): Promise<BackPlace | null> {
    const way = this.#way;
    if (way === null) return null;
    for (let inVain = 0; ; inVain++) {
      try {
        return await way.place(isFirst);
      } catch (error) {
        const waitMs = pauseBehind(error, inVain);
        if (waitMs !== undefined && performance.now() + waitMs < deadline) await pause(waitMs);
        else {
          if (waitMs !== undefined) await way.write().catch((why) => this.#refuse(why));
          this.#cannot(error);
          return null;
        }
      }
    }
  }

  #refuse(cause: unknown): never {
    throw CutOverNotNow(
      `the new side takes no writes, so that the old one could not follow it: ${errorText(cause)}`,
      {
        hint: 'Writers go on at the old side, and nothing has changed. Try again when the target has a primary.',
        cause,
      },
    );
  }

  /** Takes up what another process has noted. */
  async takeUp({ back, notFollowed }: Pick<Progress, 'back' | 'notFollowed'>): Promise<void> {
    this.#back = back;
    this.#why = notFollowed;
    this.keep();
    if (back === null || !back.isBegun) await this.#hold?.renew();
  }

  /** Follows from where that was noted, unless it can't be, which is told by `progress`. */
  async begin(): Promise<void> {
    const back = this.#back;
    if (back === null || this.#way === null) return;
    try {
      this.#endHold();
      if (!back.isBegun) await this.#way.begin(back);
      this.#back = { ...back, isBegun: true };
      this.#way.start(back);
    } catch (error) {
      this.#back = null;
      this.#cannot(error);
      await this.#giveBack().catch((failure) => this.#cannot(failure));
      this.keep();
      await this.#hold?.renew();
    }
  }

  /**
   * Ends the stream back, with everything in it that the new side holds now, and notes from where the old side is followed.
   * @throws CUT_OVER_NOT_NOW, and then it goes on as before
   */
  async turn(withinMs: number): Promise<void> {
    const [back, way] = [this.#back, this.#way];
    if (back === null || way === null) return;
    try {
      // It may not have begun, for a gate that was not moved.
      if (way.progress() === null) await way.begin(back);
      way.start(back);
      await way.drain(performance.now() + withinMs);
      await way.end();
      await way.turn(back.id);
    } catch (cause) {
      if (way.progress() === null) way.start(back);
      throw CutOverNotNow(
        `the old side has not everything that was written at the new one: ${errorText(cause)}`,
        {
          hint: 'Try again. Where the new side is lost, holdfast migrate abort lets writers go on with what the old side has.',
          cause,
        },
      );
    }
  }

  /** Its users may write again, but wait until `release`. @returns whose can't, for each */
  async unlock(): Promise<string[]> {
    this.keep();
    await this.#hold?.renew();
    return (await this.#way?.users.unlock()) ?? [];
  }

  /** Lets writers go on there; nothing of ours is left. @returns what could not be done, for each */
  async release(): Promise<string[]> {
    const late = (await this.#hold?.release()) ?? [];
    this.#hold = undefined;
    this.#back = null;
    this.#why = null;
    return [...late, ...(await this.#giveBack())];
  }

  /**
   * For good, also where it is lost: it takes no writes any more, or again with `release`.
   * @returns what could not be done, for each
   */
  async finish(release: boolean): Promise<string[]> {
    const way = this.#way;
    const hold = this.#hold ?? new Hold(this.#runs);
    this.#hold = undefined;
    this.#back = null;
    const steps = [
      async () => void (await way?.end()),
      async () => void (await way?.users.dropPosition()),
      () => (release ? hold.release() : hold.close()),
      async () => await way?.users.unlock(),
      async () => await way?.users.leave(),
    ];
    const left = new Set<string>();
    for (const step of steps) {
      const notDone = await step().catch((error: unknown) => [`the old side: ${errorText(error)}`]);
      for (const each of notDone ?? []) left.add(each);
    }
    const users = (await way?.users.closed.whereSaved()) ?? null;
    if (users !== null)
      left.add(`its users lack what ${users} has of them (ACL LIST), unless it is started anew`);
    return [...left];
  }

  #endHold(): void {
    this.#hold?.stop();
    this.#hold = undefined;
  }

  /** Leaves it as it is, for whoever takes this up. */
  async stop(): Promise<void> {
    this.#hold?.stop();
    await this.#way?.end();
  }

  async #giveBack(): Promise<string[]> {
    const way = this.#way;
    if (way === null) return [];
    await way.end();
    return await way.users.giveBack();
  }

  #cannot(error: unknown): void {
    this.#why = `the old side can't follow the new one: ${errorText(error)}`;
  }
}
