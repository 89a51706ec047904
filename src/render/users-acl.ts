import { createHash } from 'node:crypto';
import { withoutHello } from '../spec/hello-channel.ts';
import { defaultUserMode, type OwnUser, ownUserName, ownUsers, type Secrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';

/**
 * The ACL file of the members: one user a line, passwords as SHA-256 hashes (Redis's `#hash` rule). It has no comments,
 * because Redis takes none here. holdfast's own users have the least rights that work, and no keys but where said.
 * Only commands that Redis 6.2 knows: an unknown one would stop the server from starting. Applications may not publish
 * where the Sentinels listen: spec/hello-channel.ts.
 */
const ownRules: Record<OwnUser, string> = {
  // https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ ("ACL rules for Sentinel and Replicas")
  replication: '-@all +psync +replconf +ping',
  sentinel: words(
    'allchannels -@all +multi +slaveof +replicaof +ping +exec +subscribe +config|rewrite +role +publish +info',
    // Sentinels of Valkey 9.0 promote with FAILOVER; Redis has it since 6.2.
    '+client|setname +client|kill +script|kill +failover',
  ),
  // Observes, configures and directs; its keys are for the write that proves that writes are taken, its channel is for
  // the word that a member that is made primary gives the Sentinels, in the transaction that makes it one.
  agent: words(
    '~holdfast:* resetchannels &__sentinel__:hello -@all +multi +exec +publish +ping +info +role +replicaof +slaveof +config|get +config|set +config|rewrite',
    '+client|pause +client|unpause +client|kill +client|list +client|setname +client|id',
    '+dbsize +wait +save +bgsave +lastsave +bgrewriteaof +shutdown +acl|load +acl|whoami +acl|list',
    '+memory|stats +memory|doctor +latency|latest +latency|reset +slowlog|get +slowlog|len +script|kill',
    '+command +set +get +del',
  ),
  // Looks who is primary, learns the commands, and sees what a member keeps for one that does not read; clients' commands run
  // as the clients' own users.
  gate: '-@all +ping +info +role +command +client|setname +client|id +client|list +wait',
  backup: '-@all +psync +replconf +ping +info +role +dbsize',
  // Brings single keys back beside those that are there.
  restore: '~* -@all +restore +exists +dump +pttl +select +ping +client|setname',
};

/**
 * With `topology: mirror` nobody replicates: streams read one member and write the other. A Sentinel may vote and hear who
 * leads. By INFO it would learn of servers that are primaries of their own, make replicas of them (`+convert-to-slave`), and
 * take any for promoted; so it gets none.
 */
const standaloneRules: Partial<Record<OwnUser, string>> = {
  replication: '~* &* +@all -@admin +psync +replconf +config|get',
  sentinel: 'allchannels -@all +multi +exec +ping +subscribe +publish +role +client|setname',
  agent: ownRules.agent
    .replace(' +replicaof +slaveof', '')
    .replace('+set +get +del', '+set +get +mget +del +watch +unwatch'),
  gate: `~holdfast:stream:* ${ownRules.gate} +mget`,
  backup: `~holdfast:stream:* ${ownRules.backup} +mget`,
};

export interface UsersAclInput {
  spec: Spec;
  /** Must have a password for every user in the spec. */
  secrets: Secrets;
  /** Whether the server knows selectors: Redis from 7.0 on, every Valkey. */
  selectors: boolean;
}

/** Text of the file. */
export function renderUsersAcl({ spec, secrets, selectors }: UsersAclInput): string {
  const rulesOf = (user: OwnUser) =>
    (spec.mirror === null ? undefined : standaloneRules[user]) ?? ownRules[user];
  const lines = ownUsers.map((user) => {
    const passwords = [secrets.own[user], secrets.beside?.own[user]];
    return `user ${ownUserName(user)} on ${hashes(secrets, passwords)} ${rulesOf(user)}`;
  });
  const named = spec.security.users.map(({ name, acl }) => {
    const passwords = [secrets.users[name] ?? '', secrets.formerUsers[name]];
    return `user ${name} on ${hashes(secrets, passwords)} ${withoutHello(`-@all ${acl}`, { selectors })}`;
  });
  return `${[...defaultUser({ spec, secrets, selectors }), ...named, ...lines].join('\n')}\n`;
}

function defaultUser({ spec, secrets, selectors }: UsersAclInput): string[] {
  const mode = defaultUserMode(spec);
  if (mode === 'off') return ['user default off resetpass -@all'];
  // Who may do everything may also undo this. On 6.2, where it costs PSUBSCRIBE, such a user is left as Redis has it.
  const all = selectors ? withoutHello('~* &* +@all', { selectors }) : '~* &* +@all';
  if (mode === 'open') return [`user default on nopass ${all}`];
  if (spec.security.users.some(({ name }) => name === 'default')) return [];
  const passwords = [secrets.defaultPassword ?? '', secrets.beside?.defaultPassword];
  return [`user default on ${hashes(secrets, passwords)} ${all}`];
}

/** Of those that there are, each once, in one order whichever of them is used. */
function hashes(secrets: Secrets, passwords: readonly (string | null | undefined)[]): string {
  const given = passwords.flatMap((each) =>
    each === null || each === undefined ? [] : [hash(secrets, each)],
  );
  return [...new Set(given)].toSorted().join(' ');
}

function hash(secrets: Secrets, password: string): string {
  if (!secrets.real) return `#<SHA-256 of ${password}>`;
  if (password === '') throw new TypeError('an empty password would let anyone in');
  return `#${createHash('sha256').update(password).digest('hex')}`;
}

function words(...parts: string[]): string {
  return parts.join(' ');
}
