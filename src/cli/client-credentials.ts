import type { Credentials } from '../redis/endpoint.ts';
import type { Secrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { BadOption } from './errors.ts';

/**
 * What a client of a deployment logs in with.
 * @param user undefined for the default user, where there is one
 * @param hint what to say to `--user` where the spec has users of its own
 * @throws BAD_OPTION
 */
export function clientCredentials(
  spec: Spec,
  { users, defaultPassword }: Secrets,
  user: string | undefined,
  hint: (names: string) => string,
): Credentials | undefined {
  const names = spec.security.users.map(({ name }) => name);
  if (user !== undefined) {
    const password = user === 'default' ? (defaultPassword ?? users['default']) : users[user];
    if (password !== undefined) return { username: user, password, from: whence(spec, user) };
    throw BadOption(`--user: ${spec.name} has no user '${user}'`, {
      hint:
        names.length > 0 ? `It has ${names.join(', ')}.` : 'It has no users of its own: leave --user out.',
    });
  }
  if (defaultPassword !== null)
    return { username: 'default', password: defaultPassword, from: whence(spec, 'default') };
  if (names.length === 0) return undefined;
  throw BadOption(`${spec.name} has users of its own: say whom to log in as`, {
    hint: hint(names.join(', ')),
  });
}

/** Where the spec says that a user's password is. */
function whence({ name: deployment, security }: Spec, user: string): string {
  const source = security.users.find(({ name }) => name === user)?.password;
  if (source === undefined) return `the secret in the state directory of ${deployment}`;
  return 'env' in source ? `the environment variable ${source.env}` : `the file ${source.file}`;
}
