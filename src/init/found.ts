/**
 * What a source says of a Redis that runs, in words of our own: servers that were asked, configuration files and values of
 * Helm charts all become this, and `specOf` makes a spec of it. Passwords are never in it, only that there is one.
 */
import type { Address } from '../redis/endpoint.ts';

export interface Found {
  /** The Sentinels' name for the primary; null where nothing names it. */
  name: string | null;
  engine: 'redis' | 'valkey' | null;
  /** Where they are, the primary first; only how many, where a source does not say where. */
  members: readonly Address[] | number;
  sentinels: readonly Address[] | number;
  /** Ports of the first of each, where only their number is known. */
  redisPort: number | null;
  sentinelPort: number | null;
  /** Settings in the words of CONFIG GET, but for those at the engine's default. */
  settings: readonly FoundSetting[];
  quorum: number | null;
  downAfterMs: number | null;
  failoverTimeoutMs: number | null;
  /** Users by name, with rules as ACL LIST has them, without passwords. */
  users: readonly FoundUser[];
  /** Commands that nobody may call, because they were renamed away. */
  forbidden: readonly string[];
  notes: readonly Note[];
}

export interface FoundSetting {
  name: string;
  value: string;
}

export interface FoundUser {
  name: string;
  rules: string;
}

/** What could not be carried over: beside which key of the spec it belongs, what was found, and why it is not there. */
export interface Note {
  path: readonly string[];
  what: string;
  why: string;
}

export const nothingFound: Found = {
  name: null,
  engine: null,
  members: 1,
  sentinels: 0,
  redisPort: null,
  sentinelPort: null,
  settings: [],
  quorum: null,
  downAfterMs: null,
  failoverTimeoutMs: null,
  users: [],
  forbidden: [],
  notes: [],
};

/** Where a server is, whom it follows, what the agent sets as things go: nobody chose these for all of them. */
export const ofOneServer: ReadonlySet<string> = new Set([
  ...['port', 'tls-port', 'bind', 'unixsocket', 'unixsocketperm', 'unixsocketgroup', 'dir', 'logfile'],
  ...['pidfile', 'aclfile', 'replicaof', 'replica-announce-ip', 'replica-announce-port'],
  ...['masterauth', 'masteruser', 'requirepass'],
  ...['daemonize', 'supervised', 'syslog-ident', 'cluster-config-file', 'proc-title-template'],
]);

/** The same, with so many members at least: on the first one's host, at the ports behind all that are there. */
export function withMore(found: Found, count: number): Found {
  if (typeof found.members === 'number') return { ...found, members: Math.max(found.members, count) };
  const [first] = found.members;
  const lacking = count - found.members.length;
  if (first === undefined || lacking <= 0) return found;
  const { address } = first;
  const last = Math.max(...found.members.filter((each) => each.address === address).map(({ port }) => port));
  const more = Array.from({ length: lacking }, (_, index) => ({ address, port: last + 1 + index }));
  return { ...found, members: [...found.members, ...more] };
}
