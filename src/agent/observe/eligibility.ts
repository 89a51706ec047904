/** Takes replicas that do not keep up out of the Sentinels' choice, and puts them back: topology/keeping-up.ts. */
import { errorText } from '../../base/errors.ts';
import { addSample, decideEligibility, type OffsetSample } from '../../topology/keeping-up.ts';
import { actingPrimary } from '../../topology/view.ts';
import { usualPriority } from '../change/priorities.ts';
import type { Deployment } from '../deployment.ts';

export class EligibilityKeeper {
  readonly #deployment: Deployment;
  readonly #takenOut = new Set<string>();
  #samples: OffsetSample[] = [];
  #primary = '';

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  /** To be called when everyone was looked at. */
  async keep(): Promise<void> {
    const { spec, setting, paused, operations, selection } = this.#deployment;
    const isBusy = operations.current !== null || selection !== null;
    if (spec.gate.durability !== 'replicated' || paused || isBusy) return;
    const view = this.#deployment.view();
    const primary = actingPrimary(view);
    if (primary === null || !primary.reachable) return;
    if (primary.id !== this.#primary) this.#samples = [];
    this.#primary = primary.id;
    this.#takenOut.delete(primary.id);
    const nowMs = setting.clock.monotonicMs();
    const followers = view.members
      .filter(({ id, role }) => id !== primary.id && role === 'replica')
      .map((member) => ({
        ...member,
        own: member.process !== null,
        takenOut: this.#takenOut.has(member.id),
      }));
    // What the primary has now, the others were asked for a moment before: it counts from the next look on.
    const decisions = decideEligibility(followers, this.#samples, nowMs);
    this.#samples = addSample(this.#samples, { atMs: nowMs, offset: primary.offset });
    for (const { kind, member, reason } of decisions) await this.#set(member, kind === 'take-out', reason);
  }

  async #set(id: string, out: boolean, reason: string): Promise<void> {
    const { events, spec } = this.#deployment;
    const { client } = this.#deployment.member(id).watch;
    try {
      await client.setConfig('replica-priority', out ? '0' : usualPriority(spec));
    } catch (error) {
      events.add('action-failed', id, `replica-priority of ${id} could not be set: ${errorText(error)}`);
      return;
    }
    if (out) this.#takenOut.add(id);
    else this.#takenOut.delete(id);
    events.add(out ? 'taken-out' : 'put-back', id, reason);
  }
}
