import type { Deployment } from '../deployment.ts';

/** A gate has been open for as long as this, at least, before its spare is made: what starts in peace takes no processor time from it. */
const everyMs = 5000;

type Gates = { readonly gates: readonly Pick<Deployment['gates'][number], 'unit' | 'adapter'>[] };

/**
 * Has a loaded process ready for each gate of this host that is open: clients of one that dies are refused for as long as the
 * next takes to listen, and most of that is Node's own start. @returns what ends it.
 */
export function keepSpareGates(deployment: Gates): () => void {
  let before = new Set<number>();
  const timer = setInterval(() => {
    const open = new Set<number>();
    for (const { unit, adapter } of deployment.gates) {
      const pid = unit?.lives === true && adapter.seen.state === 'open' ? unit.process.pid : null;
      if (unit === null || pid === null) continue;
      open.add(pid);
      if (before.has(pid)) unit.process.prepare(adapter.command());
    }
    before = open;
  }, everyMs);
  return () => {
    clearInterval(timer);
    for (const { unit } of deployment.gates) unit?.process.forgetPrepared();
  };
}
