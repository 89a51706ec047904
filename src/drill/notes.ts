import type { DrillSettings } from './scenario.ts';

/** What the tables of a drill show, and what they don't. Pure. */
export function drillNotes(
  { durability, persistence, tls, clients, writesPerSecond }: DrillSettings,
  { besidePlain, live }: { besidePlain: boolean; live: boolean },
): string[] {
  const rate =
    writesPerSecond === null ? 'as many writes as are answered' : `${writesPerSecond} writes a second`;
  const notes = [
    `${clients} clients make ${rate} (lists, hashes, counters, strings, and registers that two of them write), others read. durability ${durability}, persistence ${persistence}${tls ? ', TLS everywhere' : ''}. Everything written is unique and logged; after the healing it is read back from the primary and compared on every replica, and the reads are checked for values that could not have been (linearizability, key by key).`,
  ];
  if (durability === 'async') {
    notes.push(
      'With durability async an acknowledged write may be lost when the primary is: what was lost is counted above.',
    );
  }
  if (besidePlain) {
    notes.push(
      'Sentinel + HAProxy: the settings of an operators’ tutorial (down-after 15 s, failover-timeout 30 s, AOF, a TCP check for role:master every second); nobody restarts what died before the Sentinels are done with it. It has no counterpart of durability replicated.',
    );
  }
  if (!live) {
    notes.push(
      'All processes are on one machine, also the three hosts, which are network namespaces: no power was cut and no disk failed.',
    );
  }
  return notes;
}
