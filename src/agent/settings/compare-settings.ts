/**
 * The settings that a member runs with beside those that it should run with. Both are in the words of its own engine
 * (expected-settings.ts), so that one meaning has one text: units, aliases, the order of flags, lists, and what a setting
 * is when nobody sets it.
 */
import { isSecretSetting } from '../../spec/rules/passwords.ts';
import { ownUserName, type Secrets } from '../../spec/secrets.ts';
import { settingName } from '../../spec/setting-name.ts';
import { orderedRules } from './user-rules.ts';

export interface SettingDifference {
  name: string;
  running: string;
  wanted: string;
}

/** What a server says of itself: CONFIG GET *, and ACL LIST. */
export interface ServerSettings {
  config: Readonly<Record<string, string>>;
  /**
   * What CONFIG SET makes of a value of `config`, where that is another: from its file a server takes some values as they
   * are (repl-backlog-size, hz), and told the same it rounds them to what it can do. Both are as they should be.
   */
  told?: Readonly<Record<string, string>>;
  users: readonly string[];
}

/** Set by where a process is, by whom it follows, and by the agents as things go: not by the spec. */
const notFromSpec = new Set([
  ...['port', 'tls-port', 'bind', 'unixsocket', 'unixsocketperm', 'unixsocketgroup', 'dir', 'dbfilename'],
  ...['logfile', 'aclfile', 'pidfile', 'replicaof', 'masteruser', 'masterauth', 'primaryuser', 'primaryauth'],
  ...['replica-announce-ip', 'replica-announce-port', 'replica-priority'],
]);

/** Settings that differ, each by one name, in the order of their names. */
export function differentSettings(
  running: ServerSettings['config'],
  { config: wanted, told = {} }: Pick<ServerSettings, 'config' | 'told'>,
): SettingDifference[] {
  const found = new Map<string, SettingDifference>();
  for (const [name, value] of Object.entries(wanted)) {
    const known = settingName(name);
    const now = running[name];
    if (now === undefined || now === value || now === told[name] || notFromSpec.has(known)) continue;
    // The older name only where the server has no other.
    if (known === name || wanted[known] === undefined)
      found.set(known, { name, running: now, wanted: value });
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The same of a server that runs as it was taken over. It keeps its users, and so its password, until it is started again:
 * to set `requirepass` to what it is with an ACL file would let everyone in. It keeps its certificates, too: file by file a
 * key would for a moment be that of another certificate, which a server refuses.
 */
export function differentWhileTaken(
  running: ServerSettings['config'],
  wanted: Pick<ServerSettings, 'config' | 'told'>,
): SettingDifference[] {
  return differentSettings(running, wanted).filter(
    ({ name }) => !isSecretSetting(name) && !name.startsWith('tls-'),
  );
}

/**
 * With what a member logs in at its primary, where no primary takes that; while the secret is changed, each takes two
 * passwords. They are not told.
 */
export function differentLogin(
  { masteruser: user, masterauth: password }: Readonly<Record<string, string | undefined>>,
  { own, beside }: LoginSecrets,
): SettingDifference[] {
  const wanted = ownUserName('replication');
  const found: SettingDifference[] = [];
  if (user !== undefined && user !== wanted) found.push({ name: 'masteruser', running: user, wanted });
  if (password !== undefined && ![own.replication, beside?.own.replication].includes(password))
    found.push({ name: 'masterauth', running: 'another password', wanted: `that of ${wanted}` });
  return found;
}

/** What primaries take of members that follow them. */
export interface LoginSecrets {
  readonly own: Pick<Secrets['own'], 'replication'>;
  readonly beside: { readonly own: Pick<Secrets['own'], 'replication'> } | null;
}

export interface UserDifference {
  user: string;
  /** Rules as ACL LIST has them, without passwords; empty for a user that is not there. */
  running: string;
  wanted: string;
  /** Whether nobody can log in by what the spec has. */
  keepsOut: boolean;
}

/** Users that differ. One whose password alone differs has two equal texts. */
export function differentUsers(
  running: ServerSettings['users'],
  wanted: ServerSettings['users'],
): UserDifference[] {
  const [now, then] = [byName(running), byName(wanted)];
  const names = [...new Set([...now.keys(), ...then.keys()])].toSorted();
  return names
    .filter((user) => orderedRules(now.get(user) ?? '') !== orderedRules(then.get(user) ?? ''))
    .map((user) => {
      const [is, should] = [withoutPasswords(now.get(user)), withoutPasswords(then.get(user))];
      const alike = orderedRules(is) === orderedRules(should);
      const keepsOut = !isLetInBy(now.get(user), then.get(user));
      return { user, running: alike ? should : is, wanted: should, keepsOut };
    });
}

/** `user app on #8b2c… ~* +@all`: the rules, by the name. */
function byName(list: readonly string[]): Map<string, string> {
  return new Map(list.map((line) => [line.split(' ', 2)[1] ?? '', line.split(' ').slice(2).join(' ')]));
}

/** A password of the spec is one there, or none is asked for. */
function isLetInBy(running = '', wanted = ''): boolean {
  const [now, then] = [running.split(' '), wanted.split(' ')];
  if (now.includes('nopass')) return true;
  const passwords = then.filter((word) => word.startsWith('#'));
  if (then.includes('nopass')) return false;
  return passwords.length === 0 || passwords.some((word) => now.includes(word));
}

function withoutPasswords(rules = ''): string {
  return rules
    .split(' ')
    .filter((word) => !word.startsWith('#'))
    .join(' ');
}
