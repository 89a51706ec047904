import { addressKind, hostPort } from '../spec/address.ts';
import { bindAddresses } from '../spec/bind.ts';
import { ownUserName, type Secrets } from '../spec/secrets.ts';
import type { GatePlace, Host, Member, Spec } from '../spec/spec.ts';

/**
 * haproxy.cfg for one gate (`gate.kind: haproxy`). HAProxy asks every member who it is, and sends the read-write port
 * to the one that answers master, the read-only port to replicas whose link is up. Servers are named after members in
 * two backends, `rw` and `ro`: the agent switches them at once through the admin socket, without waiting for a check.
 *
 * The file holds a password: mode 0600.
 */
export interface HaproxyInput {
  spec: Spec;
  gate: GatePlace;
  secrets: Secrets;
  /** Absolute path of the runtime API's Unix socket. */
  adminSocket: string;
}

export function renderHaproxyCfg({ spec, gate, secrets, adminSocket }: HaproxyInput): string {
  const host = spec.hosts.find(({ id }) => id === gate.host) as Host;
  const hello = introduction(secrets);
  const sections = [
    globalSection(spec, gate, adminSocket),
    defaultsSection(spec),
    ...resolvers(spec),
    frontend('The read-write port: always the primary.', 'rw', host, gate.port, [
      '# Before their first check all pass for the primary, and during a change two may: better nobody than a wrong one.',
      'tcp-request connection reject if { nbsrv(rw) gt 1 }',
      'default_backend rw',
    ]),
    backend(spec, 'rw', [
      ...hello,
      `tcp-check send-binary ${resp('INFO', 'replication')} # INFO replication`,
      'tcp-check expect string role:master',
    ]),
    ...(gate.replicaPort === null ? [] : readOnlyDoor(spec, host, gate.replicaPort, hello)),
    ...statistics(spec),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function globalSection(spec: Spec, gate: GatePlace, adminSocket: string): string[] {
  return [
    `# ${gate.id} of ${spec.name}, made by holdfast. It holds a password: keep its mode at 0600.`,
    'global',
    '    log stdout format raw local0 notice',
    `    maxconn ${spec.gate.limits.maxClients}`,
    '    # Where the limit of open files allows fewer connections, start with fewer and say so.',
    '    no strict-limits',
    `    nbthread ${spec.gate.workers}`,
    '    # Through this socket the agent marks servers down and up at once.',
    `    stats socket ${haproxyWord(adminSocket)} mode 600 level admin`,
    '    stats timeout 1h',
    '    # Checks of several members do not come in the same instant, but the first ones do: until it is checked, every',
    '    # member passes for the primary.',
    '    spread-checks 5',
    '    max-spread-checks 10ms',
  ];
}

function defaultsSection(spec: Spec): string[] {
  return [
    'defaults',
    '    mode tcp',
    '    log global',
    '    option dontlognull',
    '    option tcp-smart-accept',
    '    # Also the pause between two tries for one client, and so the wait while a new primary is found: hosts that are',
    '    # near each other connect within milliseconds.',
    '    timeout connect 250ms',
    '    timeout check 1s',
    `    timeout queue ${spec.gate.holdMs}ms`,
    '    # Redis connections may be silent for days (pools, blocked pops, subscribers): TCP keepalive finds the dead',
    "    # ones. 24 days is about the longest timeout that HAProxy's clock can hold.",
    '    timeout client 24d',
    '    timeout server 24d',
    '    timeout tunnel 24d',
    '    option clitcpka',
    '    option srvtcpka',
    '    clitcpka-idle 60s',
    '    srvtcpka-idle 60s',
    '    # A connection that is not up yet may go to another server.',
    '    option redispatch 1',
    '    retries 8',
    '    # Two failed checks make a server down; its clients are cut at once, so that none goes on with a lost primary.',
    '    default-server inter 1s fastinter 100ms downinter 200ms rise 1 fall 2 on-marked-down shutdown-sessions',
  ];
}

/** Names are asked again while HAProxy runs; one that has no answer at the start keeps nobody waiting. */
function resolvers(spec: Spec): string[][] {
  if (!hasHostnames(spec)) return [];
  return [['resolvers system', '    parse-resolv-conf', '    hold valid 5s', '    resolve_retries 3']];
}

function frontend(comment: string, name: string, host: Host, port: number, lines: string[]): string[] {
  const binds = bindAddresses(host).map((address) => `    bind ${bindWords(address, port)}`);
  return [`# ${comment}`, `frontend ${name}`, ...binds, ...lines.map((line) => `    ${line}`)];
}

function readOnlyDoor(spec: Spec, host: Host, port: number, hello: string[]): string[][] {
  const fallback = spec.gate.replicaFallback === 'primary' ? ['use_backend rw if { nbsrv(ro) eq 0 }'] : [];
  const end =
    spec.gate.replicaFallback === 'primary' ? 'the primary while none is.' : 'nobody while none is.';
  return [
    frontend(`The read-only port: replicas that are in touch with the primary, ${end}`, 'ro', host, port, [
      ...fallback,
      'default_backend ro',
    ]),
    backend(spec, 'ro', [
      'balance leastconn',
      ...hello,
      `tcp-check send-binary ${resp('INFO', 'replication')} # INFO replication`,
      'tcp-check expect string role:slave',
      'tcp-check expect string master_link_status:up',
    ]),
  ];
}

function backend(spec: Spec, name: string, lines: string[]): string[] {
  const servers = spec.members.map((member) => `server ${member.id} ${serverWords(spec, member)}`);
  return [`backend ${name}`, ...[...lines, ...servers].map((line) => `    ${line}`)];
}

function serverWords(spec: Spec, member: Member): string {
  const names = hasHostnames(spec) ? ' resolvers system init-addr last,libc,none' : '';
  const { tls } = spec.security;
  // Clients speak TLS with Redis itself; only the checks need HAProxy to.
  const secure = tls === null ? '' : ` check-ssl verify required ca-file ${haproxyWord(tls.ca)}`;
  return `${hostPort(member.address, member.port)} check${secure}${names}`;
}

/**
 * The start of every check: AUTH as the gate's own user. Commands go as RESP arrays in hex, so that no character of a
 * password means anything to HAProxy's quoting or to Redis's inline commands.
 */
function introduction(secrets: Secrets): string[] {
  const login = resp('AUTH', ownUserName('gate'), secrets.own.gate);
  return [
    'option tcp-check',
    'tcp-check connect default',
    `tcp-check send-binary ${secrets.real ? login : '<AUTH in hex>'} # AUTH ${ownUserName('gate')} …`,
    'tcp-check expect string +OK',
  ];
}

function statistics(spec: Spec): string[][] {
  const { statsPort } = spec.gate;
  if (statsPort === null) return [];
  return [
    [
      '# Who is up, for people on this machine.',
      'frontend statistics',
      '    mode http',
      `    bind 127.0.0.1:${statsPort}`,
      '    timeout client 10s',
      '    stats enable',
      '    stats uri /',
      '    stats refresh 5s',
    ],
  ];
}

/** A command as HAProxy's send-binary takes it: the RESP array in hex. */
function resp(...words: string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`).toString('hex');
}

function hasHostnames(spec: Spec): boolean {
  return spec.hosts.some(({ address }) => addressKind(address) === 'hostname');
}

function bindWords(address: string, port: number): string {
  if (address === '0.0.0.0') return `*:${port}`;
  return address === '::' ? `[::]:${port} v6only` : hostPort(address, port);
}

/** A word of haproxy.cfg: strong quotes keep everything but themselves (HAProxy manual 2.2, "Quoting and escaping"). */
function haproxyWord(text: string): string {
  return /^[A-Za-z0-9_./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
