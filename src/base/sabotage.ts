/**
 * Ways in which tests and drills break holdfast on purpose. Nothing in a process switches one on, and no setting, option or
 * environment variable of holdfast's does: whoever starts it loads code into it that calls `sabotage`
 * (test/support/sabotage.mjs; testbed/sabotaged-agent.ts, for deployments of a drill's own). Whoever obeys one says so.
 */
export const sabotages = {
  'no-holding': 'the gate holds no client: what must wait fails at once',
  'no-empty-primary-guard': 'a primary whose files are gone is started again as if it had them',
  'dies-asking': 'the agent is killed when it has asked the Sentinels for their votes',
  'dies-elected': 'the agent is killed when it is elected',
  'dies-after-promotion': 'the agent is killed when it has promoted a replica, before it tells anyone else',
  'dies-after-follow':
    'the agent is killed when it has told the other replicas whom to follow, before it tells the Sentinels',
  'dies-after-hello': 'the agent is killed when it has told the Sentinels, before it tells the gates',
  'dies-holding': 'the agent is killed when it holds back writes for a switchover, before it promotes anyone',
  'no-hello': 'an elected agent promotes, and the Sentinels are not told',
} as const;

export type Sabotage = keyof typeof sabotages;

const active = new Set<Sabotage>();

/** For tests only: breaks this process in the ways named. @throws TypeError for one that does not exist */
export function sabotage(names: readonly string[]): void {
  for (const name of names) {
    if (!Object.hasOwn(sabotages, name)) throw new TypeError(`there is no sabotage '${name}'`);
    active.add(name as Sabotage);
  }
}

export function isSabotaged(way: Sabotage): boolean {
  return active.has(way);
}

/** Ends this process at once, as kill -9 does, when it was broken in this way. */
export function dieIfSabotaged(way: Sabotage): void {
  if (active.has(way)) process.kill(process.pid, 'SIGKILL');
}

/** A sentence for each way in which this process is broken on purpose. */
export function activeSabotages(): string[] {
  return [...active].map((way) => `broken on purpose, ${way}: ${sabotages[way]}`);
}
