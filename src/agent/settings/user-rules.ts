/**
 * The rules of an ACL user in one form. Redis 7.0 lists the commands of a user in another order each time it is started;
 * later versions keep them as they were given. Rules that don't touch each other may change places without meaning
 * anything else: keys, channels and commands among each other, two rules of one sign, and two single commands. What is
 * first by the alphabet goes first, as far as that is so.
 */
import { shown } from '../../base/shown.ts';
import { splitRules } from '../../spec/hello-channel.ts';

/** @param rules what ACL LIST says of a user. @returns the same rules, in one order. */
export function orderedRules(rules: string): string {
  const { root, selectors } = splitRules(rules);
  const inner = selectors.map((words) => `(${ordered(words).join(' ')})`).toSorted();
  return [...ordered(root), ...inner].join(' ');
}

/** Of the rules that one list has and the other lacks so many characters are shown, and of a single rule half as many. */
const shownCharacters = 80;

/**
 * What tells two users' rules apart, as a clause for people: a list of rules may be of several hundred characters, and what differs
 * is what is looked for. @param running what the user may do @param wanted what it should
 */
export function differenceInRules(running: string, wanted: string): string {
  const [now, then] = [wordsOf(running), wordsOf(wanted)];
  const [lacks, has] = [without(then, now), without(now, then)];
  if (lacks.length === 0 && has.length === 0) return 'has the same rules in another order';
  const parts = [
    lacks.length > 0 ? `lacks ${someOf(lacks)}` : '',
    has.length > 0 ? `has ${someOf(has)} besides` : '',
  ];
  return parts.filter(Boolean).join(' and ');
}

/**
 * What a member’s user has otherwise than by the spec, as a clause; with the same rules it is the password.
 * @param name as it is shown
 */
export function differenceOfUser(
  name: string,
  { member, running, wanted }: { member: string; running: string; wanted: string },
): string {
  return running === wanted
    ? `the user ${name} has another password at ${member} than by the spec`
    : `the user ${name} of ${member} is not as the spec has it: it ${differenceInRules(running, wanted)}`;
}

interface Word {
  /** As the server has it, for people. */
  text: string;
  /** The same for all that mean the same. */
  meaning: string;
}

/** A selector is one rule, in whatever order its own stand. */
function wordsOf(rules: string): Word[] {
  const { root, selectors } = splitRules(rules);
  const inBrackets = (words: readonly string[]) => `(${words.join(' ')})`;
  return [
    ...root.map((word) => ({ text: word, meaning: word })),
    ...selectors.map((words) => ({ text: inBrackets(words), meaning: inBrackets(ordered(words)) })),
  ];
}

/** @returns the texts of those that the others lack */
function without(words: readonly Word[], others: readonly Word[]): string[] {
  const left = others.map(({ meaning }) => meaning);
  const missing = words.filter(({ meaning }) => {
    const at = left.indexOf(meaning);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return missing.map(({ text }) => text);
}

function someOf(words: readonly string[]): string {
  const some: string[] = [];
  let length = 0;
  for (const word of words.map((each) => shown(each, shownCharacters / 2))) {
    length += word.length + 1;
    if (some.length > 0 && length > shownCharacters) break;
    some.push(word);
  }
  const left = words.length - some.length;
  return `"${some.join(' ')}"${left === 0 ? '' : ` and ${left} more`}`;
}

/** Takes, again and again, the first by the alphabet of those that may stand before all that are left. */
function ordered(words: readonly string[]): string[] {
  const rules = words.map(ruleOf);
  /** How many of those that are left must stand before each. */
  const before = rules.map(
    (rule, at) => rules.slice(0, at).filter((each) => !mayChangePlaces(each, rule)).length,
  );
  const left = new Set(rules.keys());
  const sorted: string[] = [];
  while (left.size > 0) {
    let next = -1;
    for (const at of left) {
      if (before[at] === 0 && (next < 0 || (words[at] as string) < (words[next] as string))) next = at;
    }
    left.delete(next);
    sorted.push(words[next] as string);
    for (const at of left) {
      if (at > next && !mayChangePlaces(rules[next] as Rule, rules[at] as Rule))
        before[at] = (before[at] as number) - 1;
    }
  }
  return sorted;
}

type RuleClass = 'command' | 'key' | 'channel' | 'other';

interface Rule {
  kind: RuleClass;
  sign: string;
  isCategory: boolean;
  /** Without its sign and subcommand. */
  command: string;
}

function ruleOf(word: string): Rule {
  return {
    kind: classOf(word),
    sign: word.slice(0, 1),
    isCategory: word[1] === '@',
    command: word.slice(1).split('|', 1)[0] as string,
  };
}

function classOf(word: string): RuleClass {
  if (/^[+-]/.test(word)) return 'command';
  if (/^[~%]/.test(word)) return 'key';
  return word.startsWith('&') ? 'channel' : 'other';
}

function mayChangePlaces(a: Rule, b: Rule): boolean {
  if (a.kind === 'other' || b.kind === 'other') return false;
  if (a.kind !== b.kind || a.kind !== 'command' || a.sign === b.sign) return true;
  return !a.isCategory && !b.isCategory && a.command !== b.command;
}
