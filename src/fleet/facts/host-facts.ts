/** What is on a host, as the script of `facts-script.ts` told it. Everything is data from outside: looked up, never run. */
import { canonicalAddress } from '../../spec/address.ts';
import { RemoteFailed } from '../errors.ts';

export interface FoundFile {
  /** Octal, as chmod takes it. */
  mode: string;
  /** `user:group`. */
  owner: string;
  /** Undefined for what is secret. */
  text: string | undefined;
  /** SHA-256 of what is secret. */
  digest: string | undefined;
}

export interface HostFacts {
  host: string;
  machine: string;
  /** Ids of the distribution and of those that it is like. */
  os: readonly string[];
  systemd: boolean;
  programs: ReadonlySet<string>;
  /** Full paths of redis-servers and valkey-servers, with what `--version` says. */
  servers: ReadonlyMap<string, string>;
  /** The build of holdfast that is installed and whole, and the one before. */
  current: string | null;
  previous: string | null;
  /** Whether /usr/local/bin/holdfast leads to what is installed. */
  hasCommand: boolean;
  hasUser: boolean;
  /** Whose the folder of all deployments' state is; null where there is none. */
  stateOwner: string | null;
  /** Who listens on the ports of the spec's servers and Sentinels, by port. */
  listeners: ReadonlyMap<string, string>;
  secretDigest: string | null;
  /** Of those beside it, while it is changed. */
  comingDigest: string | null;
  formerDigest: string | null;
  goneDigest: string | null;
  /** Paths of files with passwords and certificates that an apply brought there. */
  secretFiles: readonly string[];
  /** Null: no agent runs. `build` is null for an agent that was installed by other means. */
  agent: { build: string | null } | null;
  /** Processes that an interrupted apply was to restart. */
  restarts: readonly string[];
  /** The network interface that has the host's address; null when none has, or it is a name. */
  device: string | null;
  /** All that its interfaces have, in canonical form; none where that can't be told. */
  addresses: ReadonlySet<string>;
  /** SHA-256 of what the deployment's keepalived that runs was told; null: none runs. */
  keepalivedDigest: string | null;
  /** SELinux has keepalived connect to the ports of a few services only. */
  holdsKeepalived: boolean;
  freeStateBytes: number;
  freeInstallBytes: number;
  kernelWritable: boolean;
  clockSeconds: number;
  /** Names of what runs. */
  commands: readonly string[];
  files: ReadonlyMap<string, FoundFile>;
  /** Texts of the machine's own files: /proc and /sys. */
  machineFiles: ReadonlyMap<string, string>;
}

/** @throws REMOTE_FAILED when the script did not come to its end. */
export function parseFacts(host: string, output: string): HostFacts {
  const lines = output.split('\n').flatMap((line) => {
    const at = line.indexOf('\t');
    return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
  });
  const one = (key: string) => lines.find(([name]) => name === key)?.[1] ?? '';
  const all = (key: string) => lines.flatMap(([name, value]) => (name === key ? [value] : []));
  const keyed = (key: string) =>
    new Map(
      lines.flatMap(([name, value]) =>
        name.startsWith(`${key} `) ? [[name.slice(key.length + 1), value]] : [],
      ),
    );
  if (one('end') !== 'yes') throw RemoteFailed(`host ${host} did not say all that was asked about it`);
  const texts = keyed('text');
  const digests = keyed('digest');
  const decoded = (file: string) => {
    const text = texts.get(file);
    return text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');
  };
  const files = new Map<string, FoundFile>();
  for (const [file, rights] of keyed('rights')) {
    const [mode = '', owner = ''] = rights.split(' ');
    files.set(file, { mode, owner, text: decoded(file), digest: digests.get(file) });
  }
  const machineFiles = [...texts.keys()].filter((file) => !files.has(file));
  const exe = lines.find(([name]) => name === 'agent')?.[1];
  return {
    host,
    machine: one('machine'),
    os: one('os').split(' ').filter(Boolean),
    systemd: one('systemd') === 'yes',
    programs: new Set(all('program')),
    servers: keyed('server'),
    current: one('current') || null,
    previous: one('previous') || null,
    hasCommand: one('command') === commandTarget,
    hasUser: one('user') === 'yes',
    stateOwner: one('owner') || null,
    listeners: keyed('listener'),
    secretDigest: one('secret') || null,
    comingDigest: one('secret-coming') || null,
    formerDigest: one('secret-former') || null,
    goneDigest: one('secret-gone') || null,
    secretFiles: all('secretfile'),
    agent: exe === undefined ? null : { build: /^\/opt\/holdfast\/([^/]+)\/node/.exec(exe)?.[1] ?? null },
    restarts: one('restarts').split(' ').filter(Boolean),
    device: one('device') || null,
    addresses: new Set(one('addresses').split(' ').filter(Boolean).map(canonicalAddress)),
    keepalivedDigest: one('keepalived') || null,
    holdsKeepalived: one('selinux') === 'holds-keepalived',
    freeStateBytes: Number(one('free')) * 1024,
    freeInstallBytes: Number(one('freeopt')) * 1024,
    kernelWritable: one('kernel') === 'writable',
    clockSeconds: Number(one('now')),
    commands: all('comm'),
    files,
    machineFiles: new Map(machineFiles.map((file) => [file, decoded(file) ?? ''])),
  };
}

/** Where /usr/local/bin/holdfast leads. */
export const commandTarget = '/opt/holdfast/current/bin/holdfast';
