import type { Problem } from '../problems.ts';

/**
 * Finds passwords that were written into a spec, whether or not the place is one for passwords: a spec is committed,
 * mailed and pasted. Works on the bare YAML value, before its shape is checked, and never repeats what it found.
 */
export function literalPasswords(value: unknown): Problem[] {
  const spec = mapOf(value);
  const security = mapOf(spec['security']);
  return [
    ...literalSecrets(security),
    ...passwordDirectives(mapOf(mapOf(spec['redis'])['config'])),
    ...passwordsInAcl(mapOf(security['users'])),
    ...passwordInStore(mapOf(spec['backup'])),
    ...passwordsInTargets(['mirrors'], mapOf(spec['mirrors'])),
    ...passwordsInTargets(['gate', 'routes'], mapOf(mapOf(spec['gate'])['routes'])),
    ...identityAsRecipient(mapOf(mapOf(spec['backup'])['encryption'])['recipients']),
  ];
}

const why = 'found a password in the spec, where everyone who reads the file sees it';
const instead = 'put it in a file or the environment and say { file: PATH } or { env: NAME }';

function literalSecrets(security: Record<string, unknown>): Problem[] {
  const problems: Problem[] = [];
  if (isLiteral(security['secret']))
    problems.push({ path: ['security', 'secret'], message: `${why}; ${instead}` });
  for (const [name, user] of Object.entries(mapOf(security['users']))) {
    if (isLiteral(user)) problems.push({ path: ['security', 'users', name], message: `${why}; ${instead}` });
    for (const key of ['password', 'formerPassword'] as const) {
      if (!isLiteral(mapOf(user)[key])) continue;
      problems.push({ path: ['security', 'users', name, key], message: `${why}; ${instead}` });
    }
  }
  return problems;
}

/** Of mirrors, and of routes. */
function passwordsInTargets(where: readonly string[], targets: Record<string, unknown>): Problem[] {
  return Object.entries(targets).flatMap(([name, target]) => {
    const { to, password } = mapOf(target);
    const problems: Problem[] = [];
    if (isLiteral(password))
      problems.push({ path: [...where, name, 'password'], message: `${why}; ${instead}` });
    if (typeof to === 'string' && /:\/\/[^/@]*:[^/@]*@/.test(to)) {
      const message = `${why}; leave it out of the address, and set \`password: { file: PATH }\` beside it`;
      problems.push({ path: [...where, name, 'to'], message });
    }
    return problems;
  });
}

const directives = new Map<string, string>(
  Object.entries({
    requirepass:
      'make the password that of a user: security.users: { default: { password: { file: PATH } } }',
    masterauth: 'remove it: holdfast gives replication a user and a password of its own',
    primaryauth: 'remove it: holdfast gives replication a user and a password of its own',
    primaryuser: 'remove it: holdfast gives replication a user of its own',
    masteruser: 'remove it: holdfast gives replication a user of its own',
    user: 'name the user under security.users',
    'tls-key-file-pass': 'use a key file without a pass phrase, readable by holdfast alone',
    'tls-client-key-file-pass': 'use a key file without a pass phrase, readable by holdfast alone',
  }),
);

/** Settings whose value is a password: it is shown nowhere. */
const secretSettings = new Set([
  'requirepass',
  'masterauth',
  'primaryauth',
  'tls-key-file-pass',
  'tls-client-key-file-pass',
]);

export function isSecretSetting(name: string): boolean {
  return secretSettings.has(name.toLowerCase());
}

/** Why a directive that holds a password can't be in redis.config, and what to do instead; undefined for others. */
export function passwordAdvice(name: string): string | undefined {
  return directives.get(name.toLowerCase());
}

function passwordDirectives(config: Record<string, unknown>): Problem[] {
  return Object.keys(config).flatMap((name) => {
    const advice = passwordAdvice(name);
    return advice === undefined
      ? []
      : [{ path: ['redis', 'config', name], message: `${why}; ${advice}`, about: 'key' as const }];
  });
}

/** In an ACL rule `>text` sets a password, `#hash` its hash, `nopass` lets anyone in. */
function passwordsInAcl(users: Record<string, unknown>): Problem[] {
  return Object.entries(users).flatMap(([name, user]) => {
    const { acl } = mapOf(user);
    if (typeof acl !== 'string') return [];
    const path = ['security', 'users', name, 'acl'];
    const rules = acl.split(/\s+/);
    if (rules.some((rule) => /^[><#!]/.test(rule))) {
      return [
        { path, message: `${why}; leave only keys, channels and commands in \`acl\`, and set \`password\`` },
      ];
    }
    const open = rules.find((rule) => ['nopass', 'resetpass', 'reset'].includes(rule.toLowerCase()));
    if (open === undefined) return [];
    return [{ path, message: `found '${open}', which undoes the user's password; remove it` }];
  });
}

function passwordInStore(backup: Record<string, unknown>): Problem[] {
  const advice = 'leave credentials to the environment, the AWS configuration or the machine’s role';
  return ['to', 'endpoint'].flatMap((key) => {
    const address = backup[key];
    if (typeof address !== 'string' || !/^[a-z0-9]+:\/\/[^/]*@/i.test(address)) return [];
    return [{ path: ['backup', key], message: `${why}; ${advice}` }];
  });
}

/** Whoever has the identity reads every backup; the hosts that take them need only the public key. */
function identityAsRecipient(recipients: unknown): Problem[] {
  const advice =
    'name its public key, which age-keygen -y prints, and keep the identity away from these hosts';
  return (Array.isArray(recipients) ? recipients : []).flatMap((each, index) =>
    typeof each === 'string' && /age-secret-key/i.test(each)
      ? [{ path: ['backup', 'encryption', 'recipients', index], message: `${why}; ${advice}` }]
      : [],
  );
}

function isLiteral(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function mapOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
