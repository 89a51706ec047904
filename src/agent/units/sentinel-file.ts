import { isUsableEpoch } from '../../topology/election/epoch.ts';

/** What stands in a sentinel.conf of ours. One Sentinel can watch several primaries: lines of other names are not ours. */

/** The words of a line, by which Sentinel reads it; ours need no quotes. */
const wordsOf = (line: string) => line.trim().split(/\s+/);

/** `sentinel OPTION NAME …` of this name. */
export function isAbout(line: string, option: RegExp, name: string): boolean {
  const [sentinel = '', what = '', whom = ''] = wordsOf(line);
  return sentinel.toLowerCase() === 'sentinel' && option.test(what) && whom === name;
}

/** Whom it watches under this name, and where; null for nobody. */
export function monitoredIn(text: string, name: string): { address: string; port: number } | null {
  const line = text.split('\n').find((each) => isAbout(each, /^monitor$/i, name));
  const [, , , address = '', port = ''] = wordsOf(line ?? '');
  return /^\d+$/.test(port) ? { address, port: Number(port) } : null;
}

/** The epochs that stand in it, as they stand there: the one that it is in, and those of this name. */
export function epochsIn(text: string, name: string): string[] {
  const lines = text.split('\n').map(wordsOf);
  return lines.flatMap(([sentinel = '', what = '', ...rest]) => {
    if (sentinel.toLowerCase() !== 'sentinel') return [];
    if (/^current-epoch$/i.test(what)) return rest.slice(0, 1);
    return /^(config|leader)-epoch$/i.test(what) && rest[0] === name ? rest.slice(1, 2) : [];
  });
}

/** An epoch in it that no agent can be elected in, as it stands there; null when there is none. */
export function unusableEpochIn(text: string, name: string): string | null {
  return epochsIn(text, name).find((epoch) => !/^\d+$/.test(epoch) || !isUsableEpoch(Number(epoch))) ?? null;
}

/** Whether it has all that a Sentinel needs to be one of ours: its port, its id, whom it watches, and how it logs in; in an epoch after which there can be others. */
export function isSoundSentinelConf(text: string, name: string): boolean {
  const lines = text.split('\n');
  return (
    monitoredIn(text, name) !== null &&
    unusableEpochIn(text, name) === null &&
    lines.some((line) => isAbout(line, /^auth-pass$/i, name)) &&
    lines.some((line) => /^sentinel\s+myid\s+[0-9a-f]{40}\s*$/i.test(line)) &&
    lines.some((line) => /^(tls-)?port\s+[1-9]\d*\s*$/i.test(line))
  );
}
