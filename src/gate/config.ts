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
  /** The members are standalone servers, of which one leads; the others follow by streams (docs/mirroring.md). */
  standalone: boolean;
  /** May be empty: then the first member is the primary, always; of standalone members, who leads by their own word. */
  sentinels: Endpoint[];
  /** How many Sentinels make a majority. */
  quorumMajority: number;
  /** The gate's own user on members. */
  memberCredentials: Credentials | null;
  sentinelCredentials: Credentials | null;
  /** Where keys go that begin with one of some prefixes; all others go to the members. See docs/gate.md. */
  routes: Route[];
  /** Who gets copies of clients' requests, and is never waited for. See docs/mirroring.md. */
  mirrors: RequestMirror[];
  /** Serves the clients until the control API says that they go on to the members; null: they have been there always. */
  predecessor: Predecessor | null;
  /** How long a command may wait for a primary. */
  holdMs: number;
  inflightWrites: 'fail' | 'retry-idempotent';
  durability: 'async' | 'replicated';
  /** Of standalone members with `replicated`: most of those in sync, the one that leads counted, are enough. */
  quorum: boolean;
  /** Processes that share the ports. */
  workers: number;
  /** How often one of several workers may be started again. */
  restarts: RestartRule;
  /** A replica further behind than this gets no reads. */
  maxLagMs: number;
  /** The read-only port reads the primary, whatever replicas there are. */
  readsAtPrimary: boolean;
  /** With that, of standalone members: those in sync have to say behind each read that it leads. See upstream/quorum-reads.ts. */
  confirmsReads: boolean;
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

/** A deployment, or one server, for some of the keys. */
export interface Route {
  /** In status, metrics and the log. */
  id: string;
  /** The longest that a key begins with wins. */
  prefixes: string[];
  /** The target has the keys without their prefix. */
  removePrefix: boolean;
  /** Reads of its keys stay at the members, which have a copy of them: only what may write goes to the target. */
  readsHere: boolean;
  /** The name under which the Sentinels know the primary; without Sentinels it says nothing. */
  deployment: string;
  /** As the gate's own: without Sentinels the first is the primary, always; with them they may be learned. */
  members: MemberAddress[];
  sentinels: Endpoint[];
  /** The gate's own user there. */
  memberCredentials: Credentials | null;
  sentinelCredentials: Credentials | null;
  /** As whom every client is there that the members let in; null: as whom it logged in. */
  clientCredentials: Credentials | null;
  /** How to reach it with TLS; null for plain TCP. */
  tls: Pick<GateTls, 'ca' | 'upstream'> | null;
  /** Made on purpose, for tests. */
  faults: RouteFault[];
}

/** Of the requests that go to a route. */
export interface RouteFault {
  /** In small letters; none: every command. */
  commands: string[];
  percentage: number;
  /** They wait so long before they are sent, or answered. */
  delayMs: number;
  /** The text of the error that they are answered with, without being sent; null: they are sent. */
  error: string | null;
}

/** A server, or the read-write port of a gate, that gets copies of requests. */
export interface RequestMirror extends Endpoint {
  /** In status, metrics and the log. */
  id: string;
  credentials: Credentials | null;
  /** How to reach it with TLS; null for plain TCP. */
  tls: Pick<GateTls, 'ca' | 'upstream'> | null;
  /** Only requests all of whose keys begin with one of these; empty for all. */
  prefixes: string[];
  /** Of the keys, as many in a hundred: what belongs to one key is copied always or never. */
  percentage: number;
  copies: 'writes' | 'all';
  /** Bytes of copies that wait or are not answered; what comes beyond is dropped, and counted. */
  queueBytes: number;
}

/** The server, or the proxy before it, that clients used until they are moved. It speaks TLS if members do. */
export interface Predecessor extends Endpoint {
  /** The gate's own user there. */
  credentials: Credentials | null;
  /** Notes that the clients have moved: a gate that starts again must not take them back. */
  movedFile: string;
}

/** Where a gate that is told on this control socket has its `movedFile`, unless its configuration names another. */
export function movedFileOf(socket: string): string {
  return `${socket}.moved`;
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
  standalone: false,
  sentinels: [],
  quorumMajority: 0,
  memberCredentials: null,
  sentinelCredentials: null,
  routes: [],
  mirrors: [],
  predecessor: null,
  holdMs: 10_000,
  inflightWrites: 'fail',
  durability: 'async',
  quorum: false,
  workers: 1,
  restarts: { limit: 5, withinMs: 60_000 },
  maxLagMs: 10_000,
  readsAtPrimary: false,
  confirmsReads: false,
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
  Partial<Omit<GateConfig, Essential | 'limits' | 'routes' | 'mirrors'>> & {
    limits?: Partial<GateLimits>;
    routes?: RouteInput[];
    mirrors?: RequestMirrorInput[];
  };

const routeDefaults = {
  removePrefix: false,
  readsHere: false,
  deployment: '',
  members: [],
  sentinels: [],
  memberCredentials: null,
  sentinelCredentials: null,
  clientCredentials: null,
  tls: null,
  faults: [],
} as const satisfies Partial<Route>;

/** What a caller must say of a route; the rest has the defaults above. */
export type RouteInput = Pick<Route, 'id' | 'prefixes'> & Partial<Route>;

export function completeRoute(route: RouteInput): Route {
  return { ...routeDefaults, ...route, faults: route.faults ?? [] };
}

const mirrorDefaults = {
  credentials: null,
  tls: null,
  prefixes: [],
  percentage: 100,
  copies: 'writes',
  queueBytes: 16 * 1024 * 1024,
} as const satisfies Partial<RequestMirror>;

/** What a caller must say of a mirror; the rest has the defaults above. */
export type RequestMirrorInput = Pick<RequestMirror, 'id' | 'address' | 'port'> & Partial<RequestMirror>;

export function completeMirror(mirror: RequestMirrorInput): RequestMirror {
  return { ...mirrorDefaults, ...mirror };
}

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
    routes: (input.routes ?? []).map(completeRoute),
    mirrors: (input.mirrors ?? []).map(completeMirror),
    limits: { ...gateConfigDefaults.limits, ...input.limits },
  };
}

/** Connections have their login by reference: those that are opened from now on log in with these. */
export function takePasswords(
  { memberCredentials, sentinelCredentials }: GateConfig,
  { member, sentinel }: { member: string | null; sentinel: string | null },
): void {
  if (memberCredentials !== null && member !== null) memberCredentials.password = member;
  if (sentinelCredentials !== null && sentinel !== null) sentinelCredentials.password = sentinel;
}
