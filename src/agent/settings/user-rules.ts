/**
 * The rules of an ACL user in one form. Redis 7.0 lists the commands of a user in another order each time it is started;
 * later versions keep them as they were given. Rules that don't touch each other may change places without meaning
 * anything else: keys, channels and commands among each other, two rules of one sign, and two single commands. What is
 * first by the alphabet goes first, as far as that is so.
 */
import { splitRules } from '../../spec/hello-channel.ts';

/** @param rules what ACL LIST says of a user. @returns the same rules, in one order. */
export function orderedRules(rules: string): string {
  const { root, selectors } = splitRules(rules);
  const inner = selectors.map((words) => `(${ordered(words).join(' ')})`).toSorted();
  return [...ordered(root), ...inner].join(' ');
}

/** Takes, again and again, the first by the alphabet of those that may stand before all that are left. */
function ordered(words: readonly string[]): string[] {
  const left = [...words];
  const sorted: string[] = [];
  while (left.length > 0) {
    const free = left.filter((word, at) =>
      left.slice(0, at).every((before) => mayChangePlaces(before, word)),
    );
    const [next] = free.toSorted() as [string];
    left.splice(left.indexOf(next), 1);
    sorted.push(next);
  }
  return sorted;
}

type RuleClass = 'command' | 'key' | 'channel' | 'other';

function classOf(word: string): RuleClass {
  if (/^[+-]/.test(word)) return 'command';
  if (/^[~%]/.test(word)) return 'key';
  return word.startsWith('&') ? 'channel' : 'other';
}

function mayChangePlaces(a: string, b: string): boolean {
  const [first, second] = [classOf(a), classOf(b)];
  if (first === 'other' || second === 'other') return false;
  if (first !== second || first !== 'command' || a[0] === b[0]) return true;
  const isCategory = a[1] === '@' || b[1] === '@';
  return !isCategory && commandOf(a) !== commandOf(b);
}

/** Without its sign and subcommand. */
function commandOf(word: string): string {
  return word.slice(1).split('|', 1)[0] as string;
}
