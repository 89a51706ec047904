import { createHmac, randomBytes } from 'node:crypto';
import { chmod, link, rm } from 'node:fs/promises';
import path from 'node:path';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import { dictionary } from '../base/dictionary.ts';
import { errorCode, errorText } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import { readSecretFile } from '../base/private-file.ts';
import { SecretUnavailable } from './errors.ts';
import type { SecretSource, Spec } from './spec.ts';

/**
 * All passwords of a deployment. Those of holdfast's own users are derived from one secret, so that every host that
 * has the secret has the same passwords, and no list of passwords travels:
 *
 *   password = base64url(HMAC-SHA-256(secret, "holdfast/1 " + deployment + " " + user))
 *
 * The secret is security.secret's, or 256 random bits that are made once in the state directory, mode 0600.
 */
export interface Secrets {
  /** False for stand-ins such as `<password of holdfast-agent>`, which are shown where real ones must not be. */
  readonly real: boolean;
  /** What the others are derived from. For handing it to other hosts; nothing logs in with it. */
  readonly root: string;
  readonly own: Readonly<Record<OwnUser, string>>;
  /** AUTH on the Sentinels; null on a laptop without users, where they are open on loopback. */
  readonly sentinelPassword: string | null;
  /** The same two for a deployment of this name on several hosts: containers rendered from a laptop's spec have them. */
  readonly elsewhere: { readonly sentinelPassword: string; readonly defaultPassword: string };
  /** The default user's password; null when it has none (laptop without users) or is switched off. */
  readonly defaultPassword: string | null;
  /** Bearer tokens of the agents' API: to look from another machine, to change something, and of agents among themselves. */
  readonly apiToken: string;
  readonly apiOperateToken: string;
  readonly agentToken: string;
  /** With which the API signs what browsers show it. */
  readonly sessionKey: string;
  /** Passwords of the users under security.users, by name. */
  readonly users: Readonly<Record<string, string>>;
  /** Their former passwords, of those that have one: valid beside them. */
  readonly formerUsers: Readonly<Record<string, string>>;
  /**
   * What another secret makes: valid beside these, and used by nobody here. There while the secret is changed: first the
   * coming one, then the one before. Null otherwise.
   */
  readonly beside: DerivedSecrets | null;
}

/** What follows from the deployment's secret alone. */
export type DerivedSecrets = Pick<
  Secrets,
  'own' | 'sentinelPassword' | 'apiToken' | 'apiOperateToken' | 'agentToken'
> & {
  /** The default user's, where it is derived. */
  readonly defaultPassword: string | null;
};

/** holdfast's own users on the members, each with the least rights that work: see render/users-acl.ts. */
export type OwnUser = 'replication' | 'sentinel' | 'agent' | 'gate' | 'backup' | 'restore';
export const ownUsers: readonly OwnUser[] = [
  ...(['replication', 'sentinel', 'agent', 'gate', 'backup', 'restore'] as const),
];

export function ownUserName(user: OwnUser): string {
  return `holdfast-${user}`;
}

/** What the default user of the members may be: open on loopback, with a password, or switched off. */
export function defaultUserMode(spec: Spec): 'open' | 'password' | 'off' {
  if (spec.security.users.length > 0) {
    return spec.security.users.some(({ name }) => name === 'default') ? 'password' : 'off';
  }
  return spec.laptop ? 'open' : 'password';
}

/** Pure: the same spec, secret and user passwords always give the same result. */
export function deriveSecrets(
  spec: Spec,
  secret: string,
  users: Readonly<Record<string, string>>,
  formerUsers: Readonly<Record<string, string>> = {},
  beside: string | null = null,
): Secrets {
  return {
    ...{ real: true, root: secret, formerUsers },
    ...namedSecrets(spec, deriveFrom(spec, secret), users),
    beside: beside === null ? null : besideSecrets(spec, deriveFrom(spec, beside)),
  };
}

function deriveFrom({ name }: Spec, secret: string): (user: string) => string {
  return (user) => createHmac('sha256', secret).update(`holdfast/1 ${name} ${user}`).digest('base64url');
}

function besideSecrets(spec: Spec, derive: (user: string) => string): DerivedSecrets {
  const { own, sentinelPassword, apiToken, apiOperateToken, agentToken } = namedSecrets(spec, derive, {});
  const isDerived =
    defaultUserMode(spec) === 'password' && !spec.security.users.some(({ name }) => name === 'default');
  return {
    own,
    sentinelPassword,
    apiToken,
    apiOperateToken,
    agentToken,
    defaultPassword: isDerived ? derive('default') : null,
  };
}

/** Words in place of every password, for output that anyone may see. */
export function placeholderSecrets(spec: Spec): Secrets {
  const users = Object.fromEntries(spec.security.users.map(({ name }) => [name, `<password of ${name}>`]));
  const own = new Set<string>(ownUsers);
  const stand = (name: string) => `<password of ${own.has(name) ? `holdfast-${name}` : `the ${name}`}>`;
  const former = spec.security.users.filter(({ formerPassword }) => formerPassword !== null);
  const formerUsers = Object.fromEntries(former.map(({ name }) => [name, `<former password of ${name}>`]));
  const root = '<secret of the deployment>';
  return { real: false, root, ...namedSecrets(spec, stand, users), formerUsers, beside: null };
}

function namedSecrets(
  spec: Spec,
  derive: (user: string) => string,
  users: Readonly<Record<string, string>>,
): Omit<Secrets, 'real' | 'root' | 'formerUsers' | 'beside'> {
  const mode = defaultUserMode(spec);
  return {
    own: {
      replication: derive('replication'),
      sentinel: derive('sentinel'),
      agent: derive('agent'),
      gate: derive('gate'),
      backup: derive('backup'),
      restore: derive('restore'),
    },
    elsewhere: { sentinelPassword: derive('sentinels'), defaultPassword: derive('default') },
    sentinelPassword: mode === 'open' ? null : derive('sentinels'),
    defaultPassword: mode === 'password' ? (users['default'] ?? derive('default')) : null,
    apiToken: derive('api'),
    apiOperateToken: derive('api-operate'),
    agentToken: derive('api-agents'),
    sessionKey: derive('api-sessions'),
    users,
  };
}

/**
 * Reads what the spec points at, and derives the rest. Nothing is made: another secret than the deployment's is of no use.
 * @param secretFile where the deployment's own secret is kept when the spec names none.
 * @throws SECRET_UNAVAILABLE when a file or environment variable is missing, empty, no regular file, or readable by others.
 */
export async function loadSecrets(spec: Spec, secretFile: string, env = process.env): Promise<Secrets> {
  const { users, former } = readPasswords(spec, env);
  const secret = spec.security.secret
    ? readSecret(spec.security.secret, 'security.secret', env)
    : await ownSecret(secretFile);
  const { coming, former: before } = secretFilesBeside(secretFile);
  const beside = (await readFileIfThere(coming)) ?? (await readFileIfThere(before));
  return deriveSecrets(spec, secret, users, former, beside?.trim() || null);
}

/** Where the secrets lie that are valid beside the deployment's own, while that is changed. */
export function secretFilesBeside(secretFile: string): { coming: string; former: string } {
  return { coming: `${secretFile}-coming`, former: `${secretFile}-former` };
}

/** What the spec points at for its users. @throws SECRET_UNAVAILABLE */
export function readPasswords(
  { security }: Spec,
  env: NodeJS.ProcessEnv,
): { users: Record<string, string>; former: Record<string, string> } {
  const [users, former] = [dictionary<string>(), dictionary<string>()];
  for (const { name, password, formerPassword } of security.users) {
    const key = `security.users.${name}`;
    users[name] = readSecret(password, `${key}.password`, env);
    if (formerPassword !== null) former[name] = readSecret(formerPassword, `${key}.formerPassword`, env);
  }
  return { users, former };
}

/** What a source of the spec holds. @param key of the spec, for messages. @throws SECRET_UNAVAILABLE */
export function readSecret(source: SecretSource, key: string, env: NodeJS.ProcessEnv): string {
  const text = 'env' in source ? env[source.env] : secretFileText(source.file, key);
  const value = text?.replace(/\r?\n$/, '');
  const where = 'env' in source ? `the environment variable ${source.env}` : source.file;
  if (value === undefined || value === '') {
    throw SecretUnavailable(`${key}: ${where} is ${value === '' ? 'empty' : 'not set'}`, {
      hint: `Put the secret there, on one line; every host of the deployment needs the same.`,
    });
  }
  if (/[\r\n\0]/.test(value)) throw SecretUnavailable(`${key}: ${where} holds more than one line`);
  return value;
}

function secretFileText(file: string, key: string): string {
  try {
    return readSecretFile(file).toString('utf8');
  } catch (error) {
    throw SecretUnavailable(`${key}: cannot read ${file}: ${errorText(error)}`, {
      hint: 'The path is relative to the spec’s folder; it must be a regular file that the user who runs holdfast can read, and not everyone.',
      cause: error,
    });
  }
}

/** The secret in the state directory. @throws SECRET_UNAVAILABLE */
async function ownSecret(file: string): Promise<string> {
  const there = await readFileIfThere(file);
  if (there?.trim()) {
    await chmod(file, 0o600);
    return there.trim();
  }
  const what = there === undefined ? 'is not there' : 'is empty';
  throw SecretUnavailable(`${file}, the secret of the deployment, ${what}`, {
    hint: 'Put it there from a copy, or from another host of the deployment, which has the same. Another one fits nothing that runs.',
  });
}

/** A secret that nobody can guess. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Makes one, unless there is one. Two that do so at once agree: the file is linked into place, never replaced. */
export async function makeSecret(file: string): Promise<void> {
  await makeFolder(path.dirname(file), 0o700);
  const fresh = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFileAtomic(fresh, `${newSecret()}\n`);
  try {
    await link(fresh, file);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(fresh, { force: true });
  }
}

/** What clients of a deployment on several hosts log in with as the default user; null where the spec names users. */
export function clientPassword(spec: Spec, { elsewhere }: Secrets): string | null {
  return spec.security.users.length > 0 ? null : elsewhere.defaultPassword;
}
