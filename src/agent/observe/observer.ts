/** Keeps the view fresh: asks everything at a steady pace, and listens to what the Sentinels publish. */
import { setTimeout as delay } from 'node:timers/promises';
import { FreshCall } from '../../base/fresh-call.ts';
import type { SentinelEvent } from '../../redis/sentinel-event.ts';
import { promotesWithinMs } from '../../topology/election/selection.ts';
import { actingPrimary, type View } from '../../topology/view.ts';
import type { Deployment, LiveMember, LiveSentinel } from '../deployment.ts';
import { lossText, memoryOf } from '../state/memory-file.ts';
import { Unwritten } from '../state/unwritten.ts';
import { Strangers } from './strangers.ts';

/** How often those are asked of whom something is to be known soon. */
const soonPaceMs = 250;
/** The same for replicas that are about to be able to take over. */
const heldBackPaceMs = 100;

/** How often each unit is asked how it is. */
export function observePaceMs(hangAfterMs: number): number {
  return Math.min(1000, Math.max(100, Math.round(hangAfterMs / 5)));
}

export class Observer {
  readonly #deployment: Deployment;
  readonly #strangers: Strangers;
  readonly #round = new FreshCall(() => this.#lookRound());
  #timer: NodeJS.Timeout | undefined;
  #soonTimer: NodeJS.Timeout | undefined;
  #heldBackTimer: NodeJS.Timeout | undefined;
  #looking = false;
  /** For whom something is being written down. */
  readonly #writing = new Set<LiveMember>();
  readonly #unwritten: Unwritten;
  #stopListening = () => {};

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
    this.#strangers = new Strangers(deployment);
    const { events, troubles, spec, setting } = deployment;
    const { clock, paths } = setting;
    this.#unwritten = new Unwritten({ events, troubles, clock, name: spec.name, root: paths.root });
  }

  start(): void {
    const { spec } = this.#deployment;
    this.#stopListening = this.#unwritten.listen();
    const look = () => {
      // A round that takes longer than the pace is not followed by another at once.
      if (this.#looking) return;
      this.#looking = true;
      void this.lookAtAll().finally(() => {
        this.#looking = false;
        this.#deployment.wake();
      });
    };
    this.#timer = setInterval(look, observePaceMs(spec.agent.hangAfterMs));
    if (this.#deployment.members.some(({ unit }) => unit === null))
      this.#soonTimer = setInterval(() => void this.#lookAtPrimaryElsewhere(), soonPaceMs);
    const lookSoon = () => {
      const isAnyHeldBack = this.#lookAtHeldBack();
      this.#heldBackTimer = setTimeout(lookSoon, isAnyHeldBack ? heldBackPaceMs : soonPaceMs);
    };
    lookSoon();
    look();
  }

  stop(): void {
    clearInterval(this.#timer);
    clearInterval(this.#soonTimer);
    clearTimeout(this.#heldBackTimer);
    this.#stopListening();
    for (const { watch } of this.#deployment.members) watch.close();
    for (const { watch } of this.#deployment.sentinels) watch.close();
    for (const { adapter } of this.#deployment.gates) adapter.close();
  }

  /** Asks everything: the view is younger than this call then. */
  lookAtAll(): Promise<void> {
    return this.#round.make();
  }

  /** The same, and whoever hangs is not waited for: what the others say is younger than this call. */
  async lookWithin(ms: number): Promise<void> {
    await Promise.race([this.#lookRound(), delay(ms, undefined, { ref: false })]);
  }

  async #lookRound(): Promise<void> {
    const { members, sentinels, gates } = this.#deployment;
    await Promise.all([
      this.#lookAtMembers(),
      ...members.filter(({ unit }) => unit?.process.running === false).map(({ disk }) => disk?.look()),
      ...sentinels.map(async (sentinel) => {
        if (sentinel.unit?.process.running === false) return;
        await this.#lookAt(sentinel);
        sentinel.unit?.heard(sentinel.watch.isHeard);
      }),
      ...gates.map(async ({ unit, adapter }) => {
        if (unit?.process.running === false) return;
        await adapter.look();
        unit?.heard(adapter.seen.state !== 'down');
      }),
    ]);
    this.#strangers.note();
    const view = this.#deployment.view();
    this.#deployment.lag.note(view, this.#deployment.setting.clock.monotonicMs());
    this.#noteCatchUp(view);
    for (const member of members) void this.#note(member);
    for (const { process } of this.#deployment.units)
      if (process.isUnrecorded) void process.writeRecord().catch((error) => this.#unwritten.note(error));
    void this.#unwritten.lookAgain();
  }

  async #lookAt(sentinel: LiveSentinel): Promise<void> {
    await sentinel.watch.look();
    await this.#deployment.elections.observed(sentinel, this.#deployment.spec.name);
  }

  /**
   * Writes down what must outlive this agent: who the process is, and what data it had. Those who wait for a round want to
   * know how the members are, and wait for no disk. What is not written yet when the next round is over is left to the one
   * after it.
   */
  async #note(member: LiveMember): Promise<void> {
    const { place, unit, memory, watch, heldBack } = member;
    const { reachable, runId, priority } = watch.seen;
    if (reachable && runId !== '') heldBack?.saw(priority);
    this.#noteLoss(member);
    if (this.#writing.has(member)) return;
    this.#writing.add(member);
    try {
      if (reachable && runId !== '') await unit?.process.setRunId(runId);
      await memory?.remember(watch.seen);
      if (memory?.damage === null) this.#deployment.troubles.note(memoryOf(place.id), null);
    } catch (error) {
      this.#unwritten.note(error);
    } finally {
      this.#writing.delete(member);
    }
  }

  /** What is in memory only is expected to be lost in a crash: it is told until new data comes. */
  #noteLoss({ place: { id }, memory, watch: { seen } }: LiveMember): void {
    const { spec, troubles } = this.#deployment;
    const isNew = spec.redis.persistence === 'none' && (seen.keys ?? 0) > 0;
    if (isNew && memory?.memory?.lost) memory.acceptLoss();
    const lost = memory?.memory?.lost ?? null;
    troubles.note(`data that ${id} had`, lost === null ? null : lossText(id, lost));
  }

  /**
   * That a replica is in sync, and that everybody waits for it, is to be known soon: the sooner it can take over.
   * @returns whether there is one of whom that is not known yet
   */
  #lookAtHeldBack(): boolean {
    const { members, catchUp, spec } = this.#deployment;
    const isReplicated = spec.gate.durability === 'replicated';
    const held = members.filter(
      ({ place, unit, heldBack }) =>
        unit?.process.running &&
        (heldBack?.ours || (isReplicated && catchUp.stageOf(place.id) === 'eligible')),
    );
    if (held.length === 0) return false;
    const primary = actingPrimary(this.#deployment.view())?.id;
    const asked = members.filter((member) => held.includes(member) || member.place.id === primary);
    for (const { watch } of asked) {
      void watch.look().then(() => {
        this.#noteCatchUp(this.#deployment.view());
        this.#deployment.wake();
      });
    }
    return true;
  }

  #noteCatchUp(view: View): void {
    const { catchUp, members, setting } = this.#deployment;
    catchUp.note(members, actingPrimary(view)?.id ?? null, setting.clock.monotonicMs());
  }

  /**
   * That the primary of another host has answered nobody for `detectAfter` is to be known soon; of one of this host its
   * process tells more.
   */
  async #lookAtPrimaryElsewhere(): Promise<void> {
    const { elections, members, sentinels, spec } = this.#deployment;
    const primary = members.find(({ place }) => place.id === elections.named);
    if (!primary || primary.unit !== null) return;
    void primary.watch.look();
    if (primary.watch.unansweredMs < spec.sentinel.detectAfterMs) return;
    await Promise.all(sentinels.map(({ watch }) => watch.look()));
    this.#deployment.wake();
  }

  async #lookAtMembers(): Promise<void> {
    const { members } = this.#deployment;
    const asked = members.filter(({ unit }) => unit?.process.running !== false);
    await Promise.all(
      asked.map(async ({ watch }) => {
        await watch.look();
        // Who is told next is told in a later one.
        const { toldIn, inSync } = watch.seen;
        this.#deployment.elections.noteEpoch(Math.max(toldIn, inSync?.epoch ?? 0));
      }),
    );
  }
}

/** It is being made primary by this agent, or another Sentinel said the same a moment ago. */
function isSelectedAnyway({ selection, setting }: Deployment, member: string): boolean {
  return selection?.member === member && setting.clock.monotonicMs() - selection.atMs < promotesWithinMs;
}

/**
 * Notes what a Sentinel's event means for the view: a selection, its end, a new primary; and that it is in TILT, for
 * people. @param from the Sentinel's id. @returns whether the loop should look at once.
 */
export function noteSentinelEvent(deployment: Deployment, from: string, event: SentinelEvent): boolean {
  const { events, spec } = deployment;
  if (event.name === '+tilt') {
    const text = `${from} is in TILT: this machine or its clock stood still, so it acts on nothing for 30 s`;
    events.add('tilt', from, text);
  }
  if (event.name === '-tilt') events.add('tilt-over', from, `${from} is out of TILT`);
  if (event.name === '+selected-slave') {
    const selected = deployment.memberAt(event.subject ?? null);
    if (!selected || isSelectedAnyway(deployment, selected.place.id)) return false;
    deployment.select(selected.place.id);
    events.add(
      'selected',
      selected.place.id,
      `the Sentinels selected ${selected.place.id} as the next primary`,
    );
    return true;
  }
  if (event.newPrimary) return true;
  if (event.name.startsWith('-failover-abort')) {
    deployment.endSelection();
    const text = `a failover was given up (${event.name.slice(1)}); by themselves the Sentinels try again after twice ${spec.sentinel.failoverTimeoutMs} ms`;
    events.add('failover-aborted', spec.name, text);
    return true;
  }
  return false;
}
