/**
 * Servers that a Sentinel names as primary and that are no members of this deployment. Nobody follows them: an address
 * counts only when the spec has it. Somebody is told once, because it means that the Sentinels were told by others:
 * whoever may publish to `__sentinel__:hello`, or may write to a Sentinel.
 */
import type { Deployment } from '../deployment.ts';

export class Strangers {
  readonly #deployment: Deployment;
  /** By Sentinel: the stranger that it names. */
  readonly #named = new Map<string, string>();

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  /** Looks at what the Sentinels last said. */
  note(): void {
    const { sentinels, events } = this.#deployment;
    for (const { place, watch } of sentinels) {
      const { reachable, primary } = watch.seen;
      if (!reachable || primary === null) continue;
      if (this.#deployment.memberAt(primary) !== undefined) {
        this.#named.delete(place.id);
        continue;
      }
      const where = `${JSON.stringify(primary.address).slice(1, 101)}:${primary.port}`.replaceAll('"', '');
      if (this.#named.get(place.id) === where) continue;
      this.#named.set(place.id, where);
      events.add('stranger', place.id, strangerText(place.id, where));
    }
  }
}

function strangerText(sentinel: string, where: string): string {
  return (
    `${sentinel} names ${where} as primary, which is no member of this deployment; nothing follows it. Whoever may ` +
    'publish to __sentinel__:hello, or write to the Sentinel, can have caused it: `holdfast doctor` shows who may'
  );
}
