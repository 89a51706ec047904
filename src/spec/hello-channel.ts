/**
 * Sentinels find each other, and learn of a new primary, on the channel `__sentinel__:hello` of the members. Whoever may
 * publish there can have every Sentinel follow any server at all. So an application user may publish everywhere but on
 * channels that begin with `__sentinel__`, which Redis keeps for this.
 *
 * An ACL has no channels to exclude, only patterns to allow: "everything that does not begin with ab" is `[^a]*`, `a`,
 * `a[^b]*`. Redis 7 has selectors: there PUBLISH alone is granted with such patterns, and the user subscribes as before.
 * Redis 6.2 has one list for both: there the patterns replace `&*`, and a user who is to PSUBSCRIBE needs that very
 * pattern among its rules (6.2 compares patterns as texts). Scripts are bound by the same rules in both.
 * Source: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ ("Selectors", "Channel permissions").
 */
import { KeyPattern } from '../base/key-pattern.ts';

export const helloChannel = '__sentinel__:hello';
const reserved = '__sentinel__';
const publishing = ['publish', 'spublish'] as const;
const channelRule = /^(&.*|allchannels|resetchannels)$/i;

/** Rules of a user: those of the root permissions, and of each selector. */
interface AclRules {
  root: string[];
  selectors: string[][];
}

/** What may stand between brackets, or outside of them. @param rules as after the name in ACL LIST or SETUSER. */
export function splitRules(rules: string): AclRules {
  const split: AclRules = { root: [], selectors: [] };
  let inside: string[] | null = null;
  for (const word of rules.split(/\s+/)) {
    let rule = word;
    if (inside === null && rule.startsWith('(')) {
      inside = [];
      split.selectors.push(inside);
      rule = rule.slice(1);
    }
    const ends = inside !== null && rule.endsWith(')');
    if (ends) rule = rule.slice(0, -1);
    if (rule !== '') (inside ?? split.root).push(rule);
    if (ends) inside = null;
  }
  return split;
}

/** Whether a user with these rules may publish where the Sentinels listen. */
export function mayPublishHello(rules: string): boolean {
  const { root, selectors } = splitRules(rules);
  return [root, ...selectors].some((group) => granted(group).length > 0 && channelsOf(group).some(covers));
}

/** A pattern that covers the channel and can't be narrowed, of a user who may publish; undefined when there is none. */
export function unclearChannel(rules: string): string | undefined {
  const { root, selectors } = splitRules(rules);
  return [root, ...selectors]
    .filter((group) => granted(group).length > 0)
    .flatMap(channelsOf)
    .find((pattern) => covers(pattern) && narrowed(pattern) === undefined);
}

/** The same rules without the right to publish there. @param selectors whether the server knows them: from Redis 7.0 on. */
export function withoutHello(rules: string, { selectors }: { selectors: boolean }): string {
  if (!mayPublishHello(rules)) return rules.trim().replaceAll(/\s+/g, ' ');
  const split = splitRules(rules);
  if (!selectors) return narrowChannels(split.root).join(' ');
  const groups = split.selectors.flatMap((group) => withoutPublishing(group).map(bracketed));
  const [root = [], publisher] = withoutPublishing(split.root);
  return [...root, ...(publisher === undefined ? [] : [bracketed(publisher)]), ...groups].join(' ');
}

/** The rules without the right to publish, and those of a selector that grants it where it does no harm. */
function withoutPublishing(group: string[]): string[][] {
  const channels = channelsOf(group);
  const may = granted(group);
  if (may.length === 0 || !channels.some(covers)) return [group];
  const patterns = channels.flatMap((pattern) => narrowed(pattern) ?? []);
  return [
    [...group, ...may.map((command) => `-${command}`)],
    [...may.map((command) => `+${command}`), ...patterns.map((pattern) => `&${pattern}`)],
  ];
}

function narrowChannels(group: string[]): string[] {
  const patterns = channelsOf(group).flatMap((pattern) => narrowed(pattern) ?? []);
  const rest = group.filter((rule) => !channelRule.test(rule));
  return [...rest, 'resetchannels', ...patterns.map((pattern) => `&${pattern}`)];
}

function bracketed(group: string[]): string {
  return `(${group.join(' ')})`;
}

/** Those of PUBLISH and SPUBLISH that the rules grant: of two about the same command the later one counts. */
function granted(group: string[]): (typeof publishing)[number][] {
  return publishing.filter((command) => {
    const about = new RegExp(`^(allcommands|nocommands|[+-]@(all|pubsub|fast)|[+-]${command})$`, 'i');
    const last = group.findLast((rule) => about.test(rule));
    return last !== undefined && (last.startsWith('+') || last.toLowerCase() === 'allcommands');
  });
}

function channelsOf(group: string[]): string[] {
  let channels: string[] = [];
  for (const rule of group) {
    if (/^allchannels$/i.test(rule)) channels = ['*'];
    else if (/^resetchannels$/i.test(rule)) channels = [];
    else if (rule.startsWith('&')) channels.push(rule.slice(1));
  }
  return channels;
}

const hello = Buffer.from(helloChannel);

function covers(pattern: string): boolean {
  return new KeyPattern(pattern).matches(hello, 0, hello.length);
}

/** Patterns for what this one matches, less what is reserved; undefined when that can't be said in patterns. */
function narrowed(pattern: string): string[] | undefined {
  if (!covers(pattern)) return [pattern];
  const start = pattern.endsWith('*') ? pattern.slice(0, -1) : undefined;
  if (start === undefined || !helloChannel.startsWith(start)) return undefined;
  const patterns: string[] = [];
  for (let length = start.length; length < reserved.length; length++) {
    const common = reserved.slice(0, length);
    if (common !== '') patterns.push(common);
    patterns.push(`${common}[^${reserved[length]}]*`);
  }
  return patterns;
}
