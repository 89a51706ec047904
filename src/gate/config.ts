import type { RestartRule } from '../topology/restart-budget.ts';

/** What one gate process is told, as JSON in a file that only its owner reads: it holds passwords. */
export interface GateConfig {
  /** Also the name under which the Sentinels know the primary. */
  deployment: string;
  id: string;
  /** The read-write port. */
  listen: Listen;
  /** The read-only port; null for none. */
  replicaListen: Listen | null;
  /** Path of the Unix socket for control; null for none. */
  controlSocket: string | null;
  /** Where /metrics, /livez and /readyz are served over HTTP; null for nowhere. */
  metricsListen: Listen | null;
  /** None: they are learned from the Sentinels, as docs/gate.md says. */
  members: MemberAddress[];
  /** May be empty: then the first member is the primary, always. */
  sentinels: Endpoint[];
  /** How many Sentinels make a majority. */
  quorumMajority: number;
  /** The gate's own user on members. */
  memberCredentials: Credentials | null;
  sentinelCredentials: Credentials | null;
  /** Serves the clients until the control API says that they go on to the members; null: they have been there always. */
  predecessor: Predecessor | null;
  /** How long a command may wait for a primary. */
  holdMs: number;
  inflightWrites: 'fail' | 'retry-idempotent';
  durability: 'async' | 'replicated';
  /** Processes that share the ports. */
  workers: number;
  /** How often one of several workers may be started again. */
  restarts: RestartRule;
  /** A replica further behind than this gets no reads. */
  maxLagMs: number;
  /** What the read-only port does when no replica is fit. */
  replicaFallback: 'primary' | 'error';
  limits: GateLimits;
  /** Certificate for clients, and how to reach members with TLS; null for plain TCP. */
  tls: GateTls | null;
  /** Expect a PROXY protocol header (version 1 or 2) at the start of every client connection. */
  proxyProtocol: boolean;
  /** Let DEBUG through to the members. */
  allowDebug: boolean;
  logLevel: 'debug' | 'info' | 'warn';
}

export interface Listen {
  host: string | string[];
  port: number;
}

export interface Endpoint {
  address: string;
  port: number;
}

export interface MemberAddress extends Endpoint {
  id: string;
}

export interface Credentials {
  username: string;
  password: string;
}

/** The server, or the proxy before it, that clients used until they are moved. It speaks TLS if members do. */
export interface Predecessor extends Endpoint {
  /** The gate's own user there. */
  credentials: Credentials | null;
  /** Notes that the clients have moved: a gate that starts again must not take them back. */
  movedFile: string;
}

export function isPredecessor({ predecessor }: Pick<GateConfig, 'predecessor'>, at: Endpoint): boolean {
  return predecessor?.address === at.address && predecessor.port === at.port;
}

/** Bounds, in bytes and milliseconds. What exceeds one is refused with Redis's own error, or that client is closed. */
export interface GateLimits {
  clients: number;
  /** One bulk string of a request: Redis's proto-max-bulk-len. */
  bulkBytes: number;
  /** Elements of one request. */
  elements: number;
  /** Bytes of one client's requests that wait in the gate; beyond it the gate stops reading from that client. */
  requestBytes: number;
  /**
   * Bytes of replies that wait for one client to read them; beyond it that client is closed. A member may keep four times as
   * many for one that writes much before it reads anything.
   */
  replyBytes: number;
  /** Bytes of all clients' requests and replies that wait in the gate. */
  totalBytes: number;
  /** A client that has not authenticated where it must, after this long. 0: never closed. */
  unauthenticatedMs: number;
  /** How long a connection to a member may take to open. */
  connectMs: number;
}

export interface GateTls {
  /** Files, PEM. `cert` and `key` open the ports with TLS; `ca` checks members, and clients when `verifyClients`. */
  cert?: string;
  key?: string;
  ca?: string;
  verifyClients?: boolean;
  /** Speak TLS to members and Sentinels. */
  upstream?: boolean;
}

export const gateConfigDefaults = {
  replicaListen: null,
  controlSocket: null,
  metricsListen: null,
  members: [],
  sentinels: [],
  quorumMajority: 0,
  memberCredentials: null,
  sentinelCredentials: null,
  predecessor: null,
  holdMs: 10_000,
  inflightWrites: 'fail',
  durability: 'async',
  workers: 1,
  restarts: { limit: 5, withinMs: 60_000 },
  maxLagMs: 10_000,
  replicaFallback: 'primary',
  limits: {
    clients: 20_000,
    bulkBytes: 512 * 1024 * 1024,
    elements: 2 ** 31 - 1,
    requestBytes: 1024 * 1024,
    replyBytes: 64 * 1024 * 1024,
    totalBytes: 512 * 1024 * 1024,
    unauthenticatedMs: 0,
    connectMs: 2000,
  },
  tls: null,
  proxyProtocol: false,
  allowDebug: false,
  logLevel: 'info',
} as const satisfies Partial<GateConfig>;

type Essential = 'deployment' | 'id' | 'listen';

/** What a caller must say; the rest has the defaults above. */
export type GateConfigInput = Pick<GateConfig, Essential> &
  Partial<Omit<GateConfig, Essential | 'limits'>> & { limits?: Partial<GateLimits> };

export function majorityOf(sentinels: number): number {
  return sentinels === 0 ? 0 : Math.floor(sentinels / 2) + 1;
}

/** A whole configuration. A majority is computed from the number of Sentinels unless it is given. */
export function gateConfig(input: GateConfigInput): GateConfig {
  const sentinels = input.sentinels ?? [];
  return {
    ...gateConfigDefaults,
    quorumMajority: majorityOf(sentinels.length),
    ...input,
    sentinels,
    limits: { ...gateConfigDefaults.limits, ...input.limits },
  };
}

/** The first thing that is wrong, as a sentence. */
export function findMistake(config: GateConfig): string | undefined {
  const port = (value: unknown) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) < 65_536;
  if (typeof config.deployment !== 'string' || config.deployment === '') return 'deployment must be a name';
  if (typeof config.id !== 'string' || config.id === '') return 'id must be a name';
  if (!port(config.listen?.port)) return `listen.port must be a port, found ${config.listen?.port}`;
  if (config.replicaListen !== null && !port(config.replicaListen?.port)) {
    return `replicaListen.port must be a port, found ${config.replicaListen?.port}`;
  }
  if (!Array.isArray(config.members)) return 'members must be a list';
  if (config.members.length + config.sentinels.length === 0)
    return 'members, or sentinels, must name at least one';
  const bad = [...config.members, ...config.sentinels].find(
    (each) => typeof each.address !== 'string' || !port(each.port),
  );
  if (bad) return `an address and a port are needed, found ${JSON.stringify(bad)}`;
  for (const [key, value] of [...Object.entries(config.limits), ['holdMs', config.holdMs] as const]) {
    if (typeof value !== 'number' || !(value >= 0)) return `${key} must be a number, found ${value}`;
  }
  if (!Number.isInteger(config.workers) || config.workers < 1 || config.workers > 64) {
    return `workers must be 1 to 64, found ${config.workers}`;
  }
  if (config.predecessor !== null) {
    const { address, port: at, movedFile } = config.predecessor;
    if (typeof address !== 'string' || !port(at)) return 'predecessor needs an address and a port';
    if (typeof movedFile !== 'string' || movedFile === '') return 'predecessor.movedFile must name a file';
    if (config.replicaListen !== null) {
      return 'a gate before another server has no read-only port: take replicaListen or predecessor away';
    }
  }
  const { limit, withinMs } = config.restarts ?? {};
  if (!Number.isInteger(limit) || limit < 0 || typeof withinMs !== 'number' || !(withinMs >= 0)) {
    return `restarts must be { limit, withinMs }, found ${JSON.stringify(config.restarts)}`;
  }
  return undefined;
}

/** Connections have their login by reference: those that are opened from now on log in with these. */
export function takePasswords(
  { memberCredentials, sentinelCredentials }: GateConfig,
  { member, sentinel }: { member: string | null; sentinel: string | null },
): void {
  if (memberCredentials !== null && member !== null) memberCredentials.password = member;
  if (sentinelCredentials !== null && sentinel !== null) sentinelCredentials.password = sentinel;
}
