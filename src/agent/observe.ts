/** Keeps the view fresh: asks everything at a steady pace, and listens to what the Sentinels publish. */
import type { SentinelEvent } from '../redis/sentinel-client.ts';
import type { Deployment } from './deployment.ts';

/** How often each part is asked how it is. */
export function observePaceMs(hangAfterMs: number): number {
  return Math.min(1000, Math.max(100, Math.round(hangAfterMs / 5)));
}

export class Observer {
  readonly #deployment: Deployment;
  #timer: NodeJS.Timeout | undefined;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  start(): void {
    const { spec } = this.#deployment;
    const look = () => void this.lookAtAll();
    this.#timer = setInterval(look, observePaceMs(spec.agent.hangAfterMs));
    look();
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const { watch } of this.#deployment.members) watch.client.close();
    for (const { watch } of this.#deployment.sentinels) watch.close();
    for (const { adapter } of this.#deployment.gates) adapter.close();
  }

  /** Asks everything once. */
  async lookAtAll(): Promise<void> {
    const { members, sentinels, gates } = this.#deployment;
    await Promise.all([
      this.lookAtMembers(),
      ...sentinels.filter(({ part }) => part?.process.running !== false).map(({ watch }) => watch.look()),
      ...gates.filter(({ part }) => part?.process.running !== false).map(({ adapter }) => adapter.look()),
    ]);
    await Promise.all(members.map(({ memory, watch }) => memory?.remember(watch.seen)));
  }

  async lookAtMembers(): Promise<void> {
    const { members } = this.#deployment;
    await Promise.all(
      members.filter(({ part }) => part?.process.running !== false).map(({ watch }) => watch.look()),
    );
  }
}

/**
 * Notes what a Sentinel's event means for the view: a selection, its end, a new primary. @returns whether the
 * loop should look at once.
 */
export function noteSentinelEvent(deployment: Deployment, event: SentinelEvent, nowMs: number): boolean {
  const { events, spec } = deployment;
  if (event.name === '+selected-slave') {
    const selected = deployment.memberAt(event.subject ?? null);
    if (!selected || deployment.selection?.member === selected.place.id) return false;
    deployment.selection = { member: selected.place.id, atMs: nowMs };
    events.add(
      'selected',
      selected.place.id,
      `the Sentinels selected ${selected.place.id} as the next primary`,
    );
    return true;
  }
  if (event.newPrimary) {
    const primary = deployment.memberAt(event.newPrimary);
    if (primary && deployment.selection?.member === primary.place.id) {
      deployment.selection = null;
      events.add('primary', primary.place.id, `the Sentinels name ${primary.place.id} primary`);
    }
    return true;
  }
  if (event.name.startsWith('-failover-abort')) {
    deployment.selection = null;
    const text = `a failover was given up (${event.name.slice(1)}); by themselves the Sentinels try again after twice ${spec.sentinel.failoverTimeoutMs} ms`;
    events.add('failover-aborted', spec.name, text);
    return true;
  }
  return false;
}
