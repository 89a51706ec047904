/** What is to be on each host: pure, from the spec and from what of the laptop's files it names. */
import { stringify } from 'yaml';
import { userKey } from '../../render/container-spec.ts';
import {
  hugePagesUnit,
  kernelSettings,
  limitsText,
  openFilesFor,
  sysctlText,
} from '../../render/host-settings.ts';
import { installedSpec, installedState } from '../../render/installed.ts';
import { systemdTarget } from '../../render/targets/systemd.ts';
import { isLoopback } from '../../spec/address.ts';
import { placeholderSecrets } from '../../spec/secrets.ts';
import type { Mirror, Spec, TlsFiles } from '../../spec/spec.ts';
import { specFileOf } from '../../spec/write.ts';
import { type AddressHost, addressTexts } from './virtual-address.ts';

export interface WantedFile {
  path: string;
  text: string;
  mode: string;
  /** `user:group`. */
  owner: string;
  /** Never shown: compared by its digest. */
  secret: boolean;
}

/** What of the laptop's own files and environment goes to the hosts. */
export interface Brought {
  /** Passwords of security.users, by name. */
  users: Readonly<Record<string, string>>;
  formerUsers: Readonly<Record<string, string>>;
  /** Passwords and authorities of servers elsewhere, by what the spec has them for and its name (`accessesOf`); null for none. */
  elsewhere: Readonly<Record<string, { password: string | null; ca: string | null }>>;
  /** By host: texts of certificates and keys, by their path there; none without TLS. */
  tls: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Of the deployment's own authority: it was made now, and no host can have anything of it. */
  isNewAuthority: boolean;
}

/** The names of these files on the hosts. With an authority of its own, certificate and key are one file. */
export function tlsFilesThere(spec: Spec): TlsFiles | null {
  const { tls, authority } = spec.security;
  const file = (name: string) => `${secretsFolder(spec)}/tls-${name}.pem`;
  if (tls === null) return null;
  const [cert, key] = authority === null ? ['cert', 'key'] : ['host', 'host'];
  return { cert: file(cert as string), key: file(key as string), ca: file('ca') };
}

/** The same for `agent.tls`: those of the servers, where it names no others. */
export function apiTlsFilesThere(spec: Spec): TlsFiles | null {
  const { tls } = spec.agent;
  if (tls === null) return null;
  if (isSameTls(tls, spec.security.tls)) return tlsFilesThere(spec);
  const file = (name: string) => `${secretsFolder(spec)}/api-tls-${name}.pem`;
  return { cert: file('cert'), key: file('key'), ca: file('ca') };
}

function isSameTls(one: TlsFiles, other: TlsFiles | null): boolean {
  return one.cert === other?.cert && one.key === other.key && one.ca === other.ca;
}

export interface Wanted {
  build: string;
  files: readonly WantedFile[];
}

export const sysctlFile = '/etc/sysctl.d/90-holdfast.conf';
export const hugePagesUnitName = 'holdfast-hugepages.service';

export function unitName({ name }: Spec): string {
  return `holdfast-${name}.service`;
}

/** The spec as the hosts have it: what it names of the laptop lies in files there, and ssh plays no part. */
export function specThere(spec: Spec): Spec {
  const folder = secretsFolder(spec);
  const tls = tlsFilesThere(spec);
  const agent = { ...spec.agent, tls: apiTlsFilesThere(spec) };
  const users = spec.security.users.map((user) => ({
    ...user,
    password: { file: `${folder}/${userKey(user.name)}` },
    formerPassword: user.formerPassword && { file: `${folder}/${formerKey(user.name)}` },
  }));
  const there =
    (kind: Elsewhere['kind']) =>
    <T extends Access>(access: T): T => ({
      ...access,
      password: access.password && { file: accessFile(spec, `${kind}-${access.name}`, 'password') },
      ca: access.ca && accessFile(spec, `${kind}-${access.name}`, 'ca'),
    });
  const mirrors = spec.mirrors.map(there('mirror'));
  const gate = {
    ...spec.gate,
    mirrors: spec.gate.mirrors.map(there('mirror')),
    routes: spec.gate.routes.map(there('route')),
  };
  const hosts = spec.hosts.map((host) => ({ ...host, ssh: null }));
  // Who opens the API to other machines says which secret they are known by: there it is the one that apply brought.
  const isOpen = !agent.bind.every(isLoopback);
  const secret = isOpen ? { file: `${installedState(spec)}/secret` } : null;
  return { ...spec, hosts, mirrors, gate, agent, security: { users, secret, tls, authority: null } };
}

/** Asked for once for each host, of which there may be many. */
const textsThere = new WeakMap<Spec, string>();

export function specTextThere(spec: Spec): string {
  const text = textsThere.get(spec) ?? makeSpecText(spec);
  textsThere.set(spec, text);
  return text;
}

function makeSpecText(spec: Spec): string {
  return [
    `# ${spec.name}, brought here by holdfast apply, with every default written out. Change the original, and apply it.`,
    stringify(specFileOf(specThere(spec))),
  ].join('\n');
}

type Access = Pick<Mirror, 'name' | 'password' | 'ca'>;

/** A server elsewhere that the spec has us log in to. `key` names its files on the hosts, `path` its place in the spec. */
interface Elsewhere extends Access {
  kind: 'mirror' | 'route';
  key: string;
  path: string;
}

export function accessesOf({ mirrors, gate }: Spec): Elsewhere[] {
  const as = (kind: Elsewhere['kind'], section: string) => (access: Access) => {
    return { ...access, kind, key: `${kind}-${access.name}`, path: `${section}.${access.name}` };
  };
  return [
    ...[...mirrors, ...gate.mirrors].map(as('mirror', 'mirrors')),
    ...gate.routes.map(as('route', 'gate.routes')),
  ];
}

function accessFile(spec: Spec, key: string, what: 'password' | 'ca'): string {
  return `${secretsFolder(spec)}/${key}.${what}`;
}

function accessTexts(spec: Spec, { elsewhere }: Brought): [path: string, text: string][] {
  return Object.entries(elsewhere).flatMap(([key, { password, ca }]) => [
    ...(password === null ? [] : [[accessFile(spec, key, 'password'), `${password}\n`] as [string, string]]),
    ...(ca === null ? [] : [[accessFile(spec, key, 'ca'), ca] as [string, string]]),
  ]);
}

function formerKey(user: string): string {
  return `former-${userKey(user)}`;
}

/** Where passwords of applications lie on the hosts, those too that are valid beside them or were. */
export function passwordFilesThere(spec: Spec): string[] {
  const keys = spec.security.users.flatMap(({ name }) => [userKey(name), formerKey(name)]);
  return keys.map((key) => `${secretsFolder(spec)}/${key}`);
}

export function secretsFolder({ name }: Spec): string {
  return `/etc/holdfast/${name}.secrets`;
}

/** How ssh reaches each host, for the day on which one is taken out of the spec. */
export function hostsFile({ name }: Spec): string {
  return `/etc/holdfast/${name}.hosts`;
}

/** @returns how ssh reaches each, by id; lines that are no such are left out */
export function readHostsFile(text: string): Map<string, string> {
  const lines = text.split('\n').flatMap((line) => {
    const [, id, target] = /^(\S+) (\S.*)$/.exec(line) ?? [];
    return id === undefined || target === undefined || id.startsWith('#') ? [] : [[id, target] as const];
  });
  return new Map(lines);
}

function hostsText({ hosts }: Spec): string {
  const lines = hosts.flatMap(({ id, ssh }) => (ssh === null ? [] : [`${id} ${ssh}`]));
  return ['# How holdfast apply reaches the hosts by ssh.', ...lines, ''].join('\n');
}

const nothingBrought: Brought = {
  users: {},
  formerUsers: {},
  elsewhere: {},
  tls: new Map(),
  isNewAuthority: false,
};

/** Which files other than secret ones there may be on a host. */
export function plainPaths(spec: Spec): string[] {
  const host = spec.gates[0]?.host ?? spec.hosts[0]?.id ?? '';
  const any = { host, systemd: true, device: 'any' };
  return wantedFiles(spec, any, nothingBrought).flatMap(({ path, secret }) => (secret ? [] : [path]));
}

export function wantedFiles(spec: Spec, on: AddressHost, brought: Brought): WantedFile[] {
  const { host, systemd } = on;
  const plain = (path: string, text: string): WantedFile => {
    return { path, text, mode: '644', owner: 'root:root', secret: false };
  };
  const secret = (path: string, text: string): WantedFile => {
    return { path, text, mode: '600', owner: `${spec.runAs}:${spec.runAs}`, secret: true };
  };
  const folder = secretsFolder(spec);
  return [
    // Before the spec: an apply that is cut off between the two leaves no spec of hosts that nobody can reach.
    { path: hostsFile(spec), text: hostsText(spec), mode: '640', owner: `root:${spec.runAs}`, secret: false },
    {
      path: installedSpec(spec),
      text: specTextThere(spec),
      mode: '640',
      owner: `root:${spec.runAs}`,
      secret: false,
    },
    ...spec.security.users.map(({ name }) =>
      secret(`${folder}/${userKey(name)}`, `${brought.users[name] ?? ''}\n`),
    ),
    ...Object.entries(brought.formerUsers).map(([name, password]) =>
      secret(`${folder}/${formerKey(name)}`, `${password}\n`),
    ),
    ...accessTexts(spec, brought).map(([path, text]) => secret(path, text)),
    ...Object.entries(brought.tls.get(host) ?? {}).map(([path, text]) => secret(path, text)),
    ...addressTexts(specThere(spec), on).map(([path, text]) => plain(path, text)),
    plain(sysctlFile, sysctlText(kernelSettings)),
    plain('/etc/security/limits.d/90-holdfast.conf', limitsText(spec.runAs, openFilesFor(spec))),
    ...(systemd
      ? [
          plain(`/etc/systemd/system/${hugePagesUnitName}`, hugePagesUnit()),
          plain(`/etc/systemd/system/${unitName(spec)}`, unitText(spec, host)),
        ]
      : []),
  ];
}

function unitText(spec: Spec, host: string): string {
  const member = (id: string) => ({ dataDir: id, aclFile: id, socket: id });
  const root = installedState(spec);
  const paths = {
    root,
    specFile: installedSpec(spec),
    member,
    sentinel: (folder: string) => ({ folder }),
    gate: (socket: string) => ({ socket }),
  };
  const input = { spec: specThere(spec), secrets: placeholderSecrets(spec), paths, host, options: {} };
  const unit = systemdTarget.render(input).find(({ name }) => name.endsWith(unitName(spec)));
  return unit?.text ?? '';
}
