/**
 * Which epochs can be worked with. Every election takes the one after the highest known of, so they are small numbers. A
 * Sentinel takes over every higher one that it hears of, for good (`sentinelProcessHelloMessage` in Redis's sentinel.c): what
 * somebody wrote into one sentinel.conf is every Sentinel's within seconds. From 2^53 on an agent can't count them one by one.
 * From 2^63 on a Sentinel can't read the question for its vote, so that none is elected either; then only one that is told to
 * (`SENTINEL FAILOVER`) replaces a primary.
 */

/** With an election in each millisecond it would take 35 years to come here. */
const highestUsable = 2 ** 40;

export function isUsableEpoch(epoch: number): boolean {
  return Number.isInteger(epoch) && epoch >= 0 && epoch <= highestUsable;
}
