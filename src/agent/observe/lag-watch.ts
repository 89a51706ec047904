import { addSample, behindForMs, type OffsetSample } from '../../topology/lag.ts';
import { actingPrimary, followsMember, type View } from '../../topology/view.ts';

/**
 * Measures for how long each replica has been behind the primary. While the primary does not answer it says what it last
 * knew: time in which nobody can keep up does not count.
 */
export class LagWatch {
  readonly #behindMs = new Map<string, number>();
  /** Since when a replica follows somebody else than the primary. */
  readonly #astraySinceMs = new Map<string, number>();
  #samples: readonly OffsetSample[] = [];
  #primary = '';
  #noPrimarySinceMs: number | null = null;

  /** How long there has been something that the member does not have, in ms; 0 when unknown. */
  behindMs(member: string): number {
    return this.#behindMs.get(member) ?? 0;
  }

  /** Since when no member acts as the primary that the Sentinels name; null while one does. */
  get noPrimarySinceMs(): number | null {
    return this.#noPrimarySinceMs;
  }

  /** To be called when every member was looked at. */
  note(view: View, nowMs: number): void {
    const primary = actingPrimary(view);
    if (primary === null) {
      this.#noPrimarySinceMs ??= nowMs;
      return;
    }
    this.#noPrimarySinceMs = null;
    // One that was started again counts its stream from the beginning, in a history of its own.
    const name = `${primary.id} ${primary.histories[0] ?? ''}`;
    if (name !== this.#primary) {
      this.#samples = [];
      this.#behindMs.clear();
      this.#astraySinceMs.clear();
    }
    this.#primary = name;
    for (const member of view.members) {
      const { id, role, reachable, offset } = member;
      if (!reachable || role !== 'replica') continue;
      const astraySinceMs = this.#astraySinceMs.get(id) ?? nowMs;
      if (followsMember(member, primary)) this.#astraySinceMs.delete(id);
      else this.#astraySinceMs.set(id, astraySinceMs);
      const astrayMs = this.#astraySinceMs.has(id) ? nowMs - astraySinceMs : 0;
      this.#behindMs.set(id, Math.max(behindForMs(this.#samples, offset, nowMs), astrayMs));
    }
    // What the primary has now, the others were asked for a moment before: it counts from the next look on.
    this.#samples = addSample(this.#samples, { atMs: nowMs, offset: primary.offset });
  }
}
