/** Does what was decided. Each action leaves the view changed, so that the same decision is not made twice. */
import { errorText } from '../base/errors.ts';
import { refusalKind, refusalReply } from '../redis/errors.ts';
import { ownUserName } from '../spec/secrets.ts';
import type { StartAs } from '../topology/decision.ts';
import { waitsForDisk } from '../topology/hang.ts';
import { namedPrimary } from '../topology/view.ts';
import type { Deployment, LiveMember } from './deployment.ts';
import { admitInSync, beginInSync, renewInSync } from './election/change-in-sync.ts';
import { replacePrimary } from './election/replace-primary.ts';
import { leadOn } from './election/take-over.ts';
import type { Step } from './loop.ts';
import { putDamagedAside } from './persistence/put-aside.ts';
import { setEligible } from './units/eligibility.ts';
import { monitorPrimary } from './units/monitor-primary.ts';
import { gateCommand } from './units/process-commands.ts';
import { sentinelCommand } from './units/sentinel-command.ts';
import { startMember } from './units/start-member.ts';
import type { Unit } from './units/unit.ts';

function refusedToFollow(id: string, primary: string, error: unknown): string {
  return (
    `${id} does not let the agent have it follow ${primary} (${refusalReply(error)?.text ?? errorText(error)}): ` +
    `somebody took rights from the user ${ownUserName('agent')} there. holdfast apply gives them back`
  );
}

/** Who was killed is gone by then, unless it waits in the kernel. */
const endsWithinMs = 100;
/** A busy machine takes its time with that. */
const toldAfterMs = 1000;

export class Actions {
  readonly #deployment: Deployment;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  async act(decision: Step): Promise<void> {
    switch (decision.kind) {
      case 'kill':
        return this.#kill(this.#unit(decision.process));
      case 'stand':
        await replacePrimary(this.#deployment, decision.member, {
          mayReturn: decision.code === 'not-acting',
        });
        return;
      case 'follow':
        return this.#follow(decision.member, decision.primary);
      case 'restart':
        return this.#restart(decision.process, decision.as);
      case 'monitor':
        return monitorPrimary(this.#deployment, decision.process, decision.primary);
      case 'reconnect':
        return this.#reconnect(decision.member, decision.primary);
      case 'appoint':
        return this.#appoint(decision.member, decision.sentinels);
      case 'refuse':
        return this.#refuse(decision);
      case 'lead-on':
        return this.#leadOn(decision.member, decision.epoch);
      case 'give-up':
        this.#unit(decision.process).giveUp();
        return;
      case 'in-sync-begins':
        return beginInSync(this.#deployment, decision);
      case 'in-sync-joins':
        return admitInSync(this.#deployment, decision.member);
      case 'in-sync-leaves':
        return renewInSync(this.#deployment, decision);
      case 'replica-eligible':
      case 'replica-ineligible':
        return setEligible(this.#deployment.member(decision.member), decision.kind === 'replica-eligible');
    }
  }

  /** One that waits for a disk ends when the disk answers. It is fenced all the same: nobody waits for it. */
  async #kill(unit: Unit): Promise<void> {
    unit.kill();
    await unit.process.waitForExit(endsWithinMs).catch(() => {});
    if (unit.process.running) void this.#tellUnlessEnded(unit);
  }

  async #tellUnlessEnded(unit: Unit): Promise<void> {
    const { id, process } = unit;
    const { pid } = process;
    await process.waitForExit(toldAfterMs).catch(() => {});
    if (!process.running || process.pid !== pid) return;
    const why = waitsForDisk(unit.view) ? ': it waits for its disk' : '';
    const text = `${id} was killed and has not ended${why}. It does nothing any more, and is started again when it has ended`;
    this.#deployment.events.add('killed', id, text);
  }

  async #follow(id: string, primaryId: string): Promise<void> {
    const member = this.#deployment.member(id);
    const { watch } = member;
    // What it has as a primary of its own nobody may go back to, until it has the primary's data.
    if (watch.seen.role === 'primary') await setEligible(member, false);
    const epoch = namedPrimary(this.#deployment.view())?.epoch;
    await watch.client.replicaOf(this.#deployment.member(primaryId).place, epoch).then(
      () => this.#noteFollowing(id, null),
      (error) => {
        if (refusalKind(error) === 'NOPERM') this.#noteFollowing(id, refusedToFollow(id, primaryId, error));
        throw error;
      },
    );
    await watch.look();
  }

  async #leadOn(id: string, epoch: number): Promise<void> {
    const member = this.#deployment.member(id);
    await leadOn(member, epoch);
    if (member.heldBack?.ours) await setEligible(member, true);
    await member.watch.look();
  }

  async #reconnect(id: string, primaryId: string): Promise<void> {
    const { watch, place } = this.#deployment.member(id);
    await watch.client.followAnew(this.#deployment.member(primaryId).place, place);
    await watch.look();
  }

  /** With durability `replicated` writes wait until it follows, or can't be promoted any more. */
  #noteFollowing(id: string, trouble: string | null): void {
    const { troubles, events } = this.#deployment;
    if (troubles.note(`following of ${id}`, trouble) && trouble !== null) events.add('hint', id, trouble);
  }

  /** All at once: one that still names another would win back those that were told before it. */
  async #appoint(member: string, sentinels: readonly string[]): Promise<void> {
    await Promise.all(sentinels.map((id) => monitorPrimary(this.#deployment, id, member)));
  }

  async #restart(id: string, as: StartAs): Promise<void> {
    const { deployment } = { deployment: this.#deployment };
    const member = deployment.members.find(({ place }) => place.id === id);
    if (member) return this.#restartMember(member, as);
    const sentinel = deployment.sentinels.find(({ place }) => place.id === id);
    const unit = this.#unit(id);
    const command = sentinel ? sentinelCommand(deployment, unit) : gateCommand(deployment, id);
    await unit.restart(await command);
  }

  async #restartMember(member: LiveMember, as: StartAs): Promise<void> {
    const epoch = namedPrimary(this.#deployment.view())?.epoch;
    // Files may be gone since they were looked at: then something else may be called for.
    if ((await member.disk?.isUnchanged()) === false) return;
    if (as.kind === 'replica' && as.afresh)
      await this.#putAside(member.place.id, this.#unit(member.place.id));
    const role =
      as.kind === 'replica' ? this.#deployment.member(as.of) : as.kind === 'as-it-was' ? as.kind : null;
    await startMember(this.#deployment.setting, member, role, 'restart', epoch);
  }

  async #putAside(id: string, unit: Unit): Promise<void> {
    const { setting, events } = this.#deployment;
    const folder = await putDamagedAside(unit.paths, setting.clock.wallMs());
    events.add('data-damaged', id, `the files that ${id} can't load are kept in ${folder}`);
  }

  #refuse({ member, code, about, reason, hint }: Extract<Step, { kind: 'refuse' }>): void {
    this.#unit(member).refuse({ code, about, reason });
    this.#deployment.events.add('hint', member, hint);
  }

  #unit(id: string) {
    return this.#deployment.units.find((unit) => unit.id === id) as Deployment['units'][number];
  }
}
