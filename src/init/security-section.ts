/** The section `security` of a spec: who gets in today, with a file to put each password into. */
import { specRules } from '../spec/adopt.ts';
import { unclearChannel } from '../spec/hello-channel.ts';
import type { SpecFile } from '../spec/schema.ts';
import { settingName } from '../spec/setting-name.ts';
import type { Found, FoundUser, Note } from './found.ts';

type SecurityFile = NonNullable<SpecFile['security']>;
type Users = NonNullable<SecurityFile['users']>;

const everything = '~* &* +@all';

/** @param spread whether it runs on several hosts, which need one secret in common. */
export function securitySection(found: Found, spread: boolean): { security: SecurityFile; notes: Note[] } {
  const notes: Note[] = [];
  const users: Users = {};
  for (const user of found.users) {
    const acl = aclOf(user, notes);
    if (acl === undefined) continue;
    const rules = [
      ...(acl === '' ? [] : [acl]),
      ...(user.name === 'default' ? without(found.forbidden) : []),
    ];
    users[user.name] = { password: { file: `${user.name}.password` }, acl: rules.join(' ') };
    notes.push({
      path: ['security', 'users', user.name],
      what: 'the password',
      why: `it is never in a spec: write the one that clients use today into ${user.name}.password beside this file, with mode 0600`,
    });
  }
  if (found.forbidden.length > 0 && users['default'] === undefined) {
    const what = `commands that were renamed away: ${found.forbidden.join(', ')}`;
    const why =
      'Sentinels and agents need commands by their names: give users under security.users an acl without them';
    notes.push({ path: ['security'], what, why });
  }
  if (Object.keys(users).length === 0 && spread) {
    const why =
      'on several hosts the default user gets a password, which docs/spec.md tells of under Passwords; clients need it';
    notes.push({ path: ['security'], what: 'everyone gets in without a password', why });
  }
  const tls = tlsOf(found, notes);
  const some = Object.keys(users).length > 0 ? { users } : {};
  return { security: { ...some, ...(tls === undefined ? {} : { tls }) }, notes };
}

function without(commands: readonly string[]): string[] {
  return commands.map((each) => `-${each.toLowerCase()}`);
}

/** Undefined for a user that the spec can't have, or need not. */
function aclOf({ name, rules }: FoundUser, notes: Note[]): string | undefined {
  const { acl, off, nopass } = specRules(rules);
  const isDefault = name === 'default';
  const leave = (why: string) => {
    notes.push({ path: ['security'], what: `the user ${name}`, why });
    return undefined;
  };
  if (off) return isDefault ? undefined : leave('it is switched off, or may do nothing');
  if (nopass) {
    const isUsual = isDefault && acl.replace('nopass', '').trim() === everything;
    return isUsual ? undefined : leave('it has no password, which the spec does not allow');
  }
  if (name.startsWith('holdfast-')) return leave('holdfast has users of its own of such names');
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/.test(name)) return leave('the spec takes no such name');
  const unclear = unclearChannel(acl);
  if (unclear !== undefined) {
    return leave(
      `it may publish where the Sentinels listen, by a pattern (${unclear}) that can't be narrowed`,
    );
  }
  return acl;
}

function tlsOf(found: Found, notes: Note[]): SecurityFile['tls'] | undefined {
  const by = new Map(found.settings.map(({ name, value }) => [settingName(name), value]));
  const port = by.get('tls-port') ?? '0';
  if (port === '0' || port === '') return undefined;
  const plain = by.get('port') ?? '6379';
  const [first] = typeof found.members === 'number' ? [] : found.members;
  // By which of its two ports the others know it.
  const isByTls = first === undefined ? by.get('tls-replication') === 'yes' : String(first.port) === port;
  if (plain !== '0' && !isByTls) {
    const why =
      'servers of a spec speak TLS or not, and these know each other by the port without: clients of the other one go elsewhere';
    notes.push({ path: ['security'], what: `TLS on port ${port}`, why });
    return undefined;
  }
  const [cert, key, ca] = ['tls-cert-file', 'tls-key-file', 'tls-ca-cert-file'].map(
    (name) => by.get(name) || '',
  );
  if (!cert || !key || !ca) {
    const why =
      'its certificate, key and authority are not all named: say security.tls with cert, key and ca';
    notes.push({ path: ['security'], what: `TLS on port ${port}`, why });
    return undefined;
  }
  if (plain !== '0') {
    const why = 'with security.tls members and Sentinels speak TLS only';
    notes.push({ path: ['security', 'tls'], what: `the port ${plain} without TLS`, why });
  }
  return { cert, key, ca };
}
