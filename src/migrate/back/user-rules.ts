/**
 * How users are kept from writing, and get back what they had. Pure.
 *
 * A line of ACL LIST is `user NAME RULE…`, and its rules make the same user again behind `reset`. Selectors (Redis 7) are rights
 * besides, which a rule for the user does not take away.
 *
 * Source: the ACL documentation; acl.c (ACLDescribeUser, ACLSetUser) of Redis 6.2 to 8.6.
 */

interface User {
  name: string;
  rules: string[];
}

/** Undefined for what is no line of ACL LIST. */
function readUser(line: string): User | undefined {
  const [word, name, ...rules] = line.split(' ').filter((each) => each !== '');
  return word === 'user' && name !== undefined ? { name, rules } : undefined;
}

export function userName(line: string): string | undefined {
  return readUser(line)?.name;
}

/** What ACL SETUSER is told so that this user writes nothing any more. */
export function withoutWrites(line: string): string[] {
  const user = readUser(line);
  if (user === undefined) return [];
  const hasSelectors = user.rules.some((rule) => rule.startsWith('('));
  return [user.name, '-@write', ...(hasSelectors ? ['clearselectors'] : [])];
}

/** What ACL SETUSER is told so that this user may what the line says. */
export function asBefore(line: string): string[] {
  const user = readUser(line);
  return user === undefined ? [] : [user.name, 'reset', ...user.rules];
}
