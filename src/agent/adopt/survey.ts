/** Asks what runs where the spec places members and Sentinels, and on this host whose processes they are. Only reads. */
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statfsSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { errorCode, errorText } from '../../base/errors.ts';
import { identify } from '../../process/identity.ts';
import { portHolder } from '../../process/port-holder.ts';
import { recordedPid } from '../../process/supervised-process.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import type { Address, Credentials, TlsTexts } from '../../redis/endpoint.ts';
import { isLockedOut, refusalKind } from '../../redis/errors.ts';
import { moduleNames, parseInfo, productOf } from '../../redis/info.ts';
import { MemberClient } from '../../redis/member-client.ts';
import { SentinelClient } from '../../redis/sentinel-client.ts';
import type { Member, Place, SentinelPlace, Spec } from '../../spec/spec.ts';
import { checkPorts, wantedPorts } from '../preflight.ts';
import type { ServerProgram } from '../server-program.ts';
import type { ServerSettings } from '../settings/compare-settings.ts';
import { readSettings } from '../settings/expected-settings.ts';
import type { StatePaths, UnitPaths } from '../state/paths.ts';
import { runsAsTaken } from '../state/taken-over.ts';
import { certificateProblems } from './certificate-problems.ts';
import type { AdoptionFacts, Found, ProcessFacts, RunningMember, RunningSentinel } from './facts.ts';
import { findKeeper } from './keeper.ts';
import { startedBefore } from './taken-before.ts';

export interface Access {
  /** Who may do everything at the servers, and at the Sentinels. */
  servers: Credentials | undefined;
  sentinels: Credentials | undefined;
  /** With which Sentinels that holdfast started are asked; undefined while this host has no secret. */
  ownSentinels: Credentials | undefined;
  /** Certificates of the spec, where they speak TLS. */
  tls: TlsTexts | undefined;
}

export interface SurveyInput {
  spec: Spec;
  host: string;
  paths: StatePaths;
  access: Access;
  engine: ServerProgram['version'];
  wanted: ServerSettings;
  replicationDigest: string | null;
}

const answerWithinMs = 5000;

export async function survey({
  spec,
  host,
  paths,
  access,
  engine,
  wanted,
  replicationDigest,
}: SurveyInput): Promise<AdoptionFacts> {
  const pathsHere = (place: Place, unitPaths: UnitPaths) => (place.host === host ? unitPaths : null);
  const [members, sentinels] = await Promise.all([
    Promise.all(
      spec.members.map((place) =>
        found(place, () => memberFacts(place, access, pathsHere(place, paths.member(place.id)))),
      ),
    ),
    Promise.all(
      spec.sentinels.map((place) =>
        found(place, () => askSentinel(spec, place, access, pathsHere(place, paths.sentinel(place.id)))),
      ),
    ),
  ]);
  const started = startedBefore(spec, host, paths);
  const there = new Set([
    ...started,
    ...[...members, ...sentinels].flatMap((each) => (isThere(each) ? [each.place.id] : [])),
  ]);
  const portTaken = await checkPorts(wantedPorts(spec, host).filter(({ who }) => !there.has(who))).then(
    () => null,
    errorText,
  );
  const { bavail, bsize } = statfsSync(aboveOf(paths.root));
  const free = { memoryBytes: process.availableMemory(), diskBytes: bavail * bsize };
  const tlsProblems = access.tls === undefined ? [] : certificateProblems(spec, host, access.tls, new Date());
  const uid = process.getuid?.() ?? 0;
  const asked = { host, uid, engine, wanted, replicationDigest, tlsProblems };
  return { ...asked, members, sentinels, free, started, portTaken };
}

const isThere = ({ running, problem }: Found<unknown, unknown>) => running !== null || problem !== null;

/** The folder that is there: the state directory is made later. */
function aboveOf(folder: string): string {
  return existsSync(folder) ? folder : aboveOf(path.dirname(folder));
}

async function found<Where extends Address, Running>(
  place: Where,
  ask: () => Promise<Running>,
): Promise<Found<Where, Running>> {
  try {
    return { place, running: await ask(), problem: null };
  } catch (error) {
    if (isNobodyThere(error)) return { place, running: null, problem: null };
    return { place, running: null, problem: problemOf(error) };
  }
}

function isNobodyThere(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (errorCode(each) === 'ECONNREFUSED') return true;
  }
  return false;
}

function problemOf(error: unknown): string {
  const kind = refusalKind(error);
  if (kind === 'NOAUTH' || kind === 'WRONGPASS' || kind === 'NOPERM') {
    return `it does not let us in (${kind}): name a user who may do everything, with --user and --password-file (for Sentinels --sentinel-password-file)`;
  }
  return errorText(error);
}

/** @param paths null for a member of another host */
async function memberFacts(
  { address, port }: Member,
  { servers: credentials, tls }: Access,
  paths: UnitPaths | null,
): Promise<RunningMember> {
  const client = new MemberClient({
    endpoint: { host: address, port },
    credentials,
    tls,
    timeoutMs: answerWithinMs,
  });
  try {
    const info = await client.info();
    const role = await client.role();
    const settings = await readSettings(client);
    const names = String(await client.connection.call('CLIENT', 'LIST')).matchAll(
      / name=sentinel-([0-9a-f]{8})-/g,
    );
    const { name, version } = productOf(info);
    const dir = settings.config['dir'] ?? '';
    const folder = paths === null ? dir : realPathOf(dir);
    return {
      process: paths === null ? null : await processFacts(info['process_id'], port),
      runId: info['run_id'] ?? '',
      product: name === 'valkey' ? 'Valkey' : 'Redis',
      version,
      loading: info['loading'] === '1',
      cluster: info['cluster_enabled'] === '1',
      role,
      settings,
      modules: moduleNames(String(await client.connection.call('INFO', 'modules'))),
      missing: await missingCommands(client.connection),
      usedBytes: Number(info['used_memory'] ?? 0),
      watchers: [...new Set([...names].map(([, id = '']) => id))],
      folderProblem: paths === null ? null : folderProblemOf(folder),
      folder,
      inTheWay: paths === null ? null : inTheWayOf(paths, folder),
      openFile: paths === null ? null : openFile(info['config_file']),
      ...whoseIs(paths, info['process_id']),
    };
  } finally {
    client.close();
  }
}

/** One that holdfast has started, on another host perhaps, knows nobody's password but holdfast's. */
async function askSentinel(
  spec: Spec,
  place: SentinelPlace,
  access: Access,
  paths: UnitPaths | null,
): Promise<RunningSentinel> {
  try {
    return await sentinelFacts(spec, place, access, paths);
  } catch (error) {
    if (!isLockedOut(error) || access.ownSentinels === undefined) throw error;
    const own = { ...access, sentinels: access.ownSentinels };
    const facts = await sentinelFacts(spec, place, own, paths).catch(() => null);
    if (facts === null) throw error;
    return { ...facts, knowsUs: true };
  }
}

async function sentinelFacts(
  { name }: Spec,
  { address, port }: SentinelPlace,
  { sentinels: credentials, tls }: Access,
  paths: UnitPaths | null,
): Promise<RunningSentinel> {
  const options = { endpoint: { host: address, port }, credentials, tls, timeoutMs: answerWithinMs };
  const client = new SentinelClient(options, name);
  try {
    const watches = await client.watched();
    const isOurs = watches.some((each) => each.name === name);
    const info = parseInfo(String(await client.connection.call('INFO', 'server')));
    return {
      process: paths === null ? null : await processFacts(info['process_id'], port),
      sentinelId: await client.myId(),
      watches,
      flags: isOurs ? (await client.primary()).flags : [],
      colleagues: isOurs ? await client.colleagues() : [],
      hasPassword: !(await client.userRules()).includes('nopass'),
      openFile: paths === null ? null : openFile(info['config_file']),
      ...whoseIs(paths, info['process_id']),
    };
  } finally {
    client.close();
  }
}

/** What holdfast's own users, and the Sentinels, call by these names. */
const needed = [
  'config',
  'acl',
  'replicaof',
  'client',
  'shutdown',
  'info',
  'role',
  'psync',
  'replconf',
  'publish',
  'multi',
  'script',
];

async function missingCommands(connection: RedisConnection): Promise<string[]> {
  const reply = (await connection.call('COMMAND', 'INFO', ...needed)) as unknown[];
  return needed.filter((_, index) => !Array.isArray(reply[index]));
}

async function processFacts(text: string | undefined, port: number): Promise<ProcessFacts | string> {
  const pid = Number(text);
  const holder = portHolder(port);
  if (holder !== undefined && holder.pid !== pid) {
    return `port ${port} is ${holder.name}'s (pid ${holder.pid}), and the server says that it is process ${pid}: it runs in a container, or behind a proxy`;
  }
  const identity = identify(pid);
  if (identity === undefined) {
    return `it says that it is process ${pid}, which this machine does not have: it runs elsewhere, or in a container`;
  }
  const { uid } = statSync(`/proc/${pid}`);
  // Who may look at the files of a process of another user is root; that one is told by its uid.
  if (holder === undefined && uid === process.getuid?.()) {
    return `it says that it is process ${pid}, and that one does not listen on port ${port}: it runs elsewhere, or in a container`;
  }
  return { ...identity, uid, user: userName(uid), keeper: await findKeeper(pid) };
}

function userName(uid: number): string {
  const line = textIfThere('/etc/passwd')
    .split('\n')
    .find((each) => each.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? `uid ${uid}`;
}

function textIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Where others can come to it. Redis writes it anew for everyone to read (config.c, rewriteConfigOverwriteFile). */
function openFile(file = ''): string | null {
  const searchable = 0o001;
  for (let folder = path.dirname(file); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found === undefined || (found.mode & searchable) === 0) return null;
  }
  return file.startsWith('/') ? file : null;
}

/** By what lies in the state directory. */
function whoseIs(paths: UnitPaths | null, pid: string | undefined): { taken: boolean; ours: boolean } {
  if (paths === null) return { taken: false, ours: false };
  const taken = runsAsTaken(paths);
  return { taken, ours: !taken && recordedPid(paths.record) === Number(pid) };
}

function realPathOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/** A link, or an empty folder, is replaced by a link to where the data lies. */
function inTheWayOf({ dataDir }: UnitPaths, folder: string): string | null {
  if (realPathOf(dataDir) === folder) return null;
  const found = lstatSync(dataDir, { throwIfNoEntry: false });
  if (found === undefined || found.isSymbolicLink()) return null;
  return found.isDirectory() && readdirSync(dataDir).length === 0 ? null : dataDir;
}

function folderProblemOf(folder: string): string | null {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return errorText(error);
  }
}
