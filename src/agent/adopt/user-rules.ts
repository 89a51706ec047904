/**
 * Whether clients get in after a failover as they do today. A server that is taken over keeps its users until it is started
 * again; those that holdfast starts beside it have the spec's. Pure.
 */
import { specRules } from '../../spec/adopt.ts';
import { withoutHello } from '../../spec/hello-channel.ts';
import { orderedRules } from '../settings/user-rules.ts';
import type { Refusal } from './refusal.ts';

/** @param running and @param wanted as ACL LIST has them */
export function userRefusals(
  where: string,
  running: readonly string[],
  wanted: readonly string[],
): Refusal[] {
  const [now, then] = [byName(running), byName(wanted)];
  return [...now].flatMap(([name, rules]): Refusal[] => {
    if (name.startsWith('holdfast-')) return [];
    const { off } = specRules(withoutPasswords(rules));
    if (off) return [];
    const other = then.get(name);
    if (name === 'default' && rules.split(' ').includes('nopass') && other?.startsWith('off')) {
      const what = 'everyone gets in without a password, and a spec with users lets nobody in so';
      return [{ where, what, fix: openBesideUsers }];
    }
    const fix = `Clients that are ${name} would not get in after a failover: name it under security.users as it is here (holdfast init --from writes it), with its password in the file.`;
    if (other === undefined)
      return [{ where, what: `it has a user ${name} that the spec does not name`, fix }];
    if (!haveSamePasswords(rules, other)) {
      return [{ where, what: `its user ${name} has not the passwords that the spec gives it`, fix }];
    }
    if (mayTheSame(rules, other)) return [];
    const what = `its user ${name} may do "${withoutPasswords(rules)}", and by the spec "${withoutPasswords(other)}"`;
    return [{ where, what, fix }];
  });
}

const openBesideUsers =
  'Switch the default user off if no client is that one (ACL SETUSER default off), or give it a password that clients use and name it under security.users, or leave users out of the spec and the server.';

/** Those of the spec, and holdfast's own, that are not there as they should be: given to it while it runs. */
export function usersToAdd(
  running: readonly string[],
  rendered: readonly string[],
): { name: string; rules: string[] }[] {
  const there = byName(running);
  return [...byName(rendered)].flatMap(([name, rules]) =>
    there.has(name) && !name.startsWith('holdfast-') ? [] : [{ name, rules: rules.split(' ') }],
  );
}

/** But for the channel of the Sentinels, which holdfast keeps clients out of. */
function mayTheSame(a: string, b: string): boolean {
  const [running, wanted] = [withoutPasswords(a), withoutPasswords(b)];
  if (specRules(running).acl === specRules(wanted).acl) return true;
  // A server before 7.0 has one list of channels for all, in which it says everything but that one.
  return [true, false].some(
    (selectors) => inOneForm(withoutHello(running, { selectors })) === inOneForm(wanted),
  );
}

/** Channels are a set, wherever they stand among the rules. */
function inOneForm(rules: string): string {
  const words = rules.split(' ').filter((word) => word !== 'resetchannels' && word !== 'sanitize-payload');
  const channels = words.filter((word) => word.startsWith('&')).toSorted();
  return [orderedRules(words.filter((word) => !word.startsWith('&')).join(' ')), ...channels].join(' ');
}

function haveSamePasswords(a: string, b: string): boolean {
  const words = (rules: string) =>
    rules.split(' ').filter((word) => word.startsWith('#') || word === 'nopass');
  return words(a).toSorted().join() === words(b).toSorted().join();
}

function withoutPasswords(rules: string): string {
  return rules
    .split(' ')
    .filter((word) => !word.startsWith('#'))
    .join(' ');
}

/** `user app on #8b2c… ~* +@all`: the rules, by the name. */
function byName(list: readonly string[]): Map<string, string> {
  return new Map(list.map((line) => [line.split(' ', 2)[1] ?? '', line.split(' ').slice(2).join(' ')]));
}
