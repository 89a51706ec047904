/** Asks what runs where the spec places members and Sentinels of this host. Only reads. */
import { accessSync, constants, existsSync, realpathSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { errorCode, errorText } from '../../base/errors.ts';
import { identify } from '../../process/identity.ts';
import { portHolder } from '../../process/port-holder.ts';
import { recordedPid } from '../../process/supervised-process.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import type { Address, Credentials } from '../../redis/endpoint.ts';
import { refusalKind } from '../../redis/errors.ts';
import { moduleNames, parseInfo, productOf } from '../../redis/info.ts';
import { MemberClient } from '../../redis/member-client.ts';
import { SentinelClient } from '../../redis/sentinel-client.ts';
import type { Member, SentinelPlace, Spec } from '../../spec/spec.ts';
import { checkPorts, wantedPorts } from '../preflight.ts';
import type { ServerProgram } from '../server-program.ts';
import type { ServerSettings } from '../settings/compare-settings.ts';
import { readSettings } from '../settings/expected-settings.ts';
import type { StatePaths, UnitPaths } from '../state/paths.ts';
import { runsAsTaken } from '../state/taken-over.ts';
import type { AdoptionFacts, Found, ProcessFacts, RunningMember, RunningSentinel } from './facts.ts';
import { findKeeper } from './keeper.ts';
import { startedBefore } from './taken-before.ts';

export interface Access {
  /** Who may do everything at the servers, and at the Sentinels. */
  servers: Credentials | undefined;
  sentinels: Credentials | undefined;
}

export interface SurveyInput {
  spec: Spec;
  host: string;
  paths: StatePaths;
  access: Access;
  engine: ServerProgram['version'];
  wanted: ServerSettings;
}

const answerWithinMs = 5000;

export async function survey({
  spec,
  host,
  paths,
  access,
  engine,
  wanted,
}: SurveyInput): Promise<AdoptionFacts> {
  const here = <Where extends { host: string }>(places: readonly Where[]) =>
    places.filter((place) => place.host === host);
  const members = await Promise.all(
    here(spec.members).map((place) =>
      found(place, () => memberFacts(place, access.servers, paths.member(place.id))),
    ),
  );
  const sentinels = await Promise.all(
    here(spec.sentinels).map((place) =>
      found(place, () => sentinelFacts(spec, place, access.sentinels, paths.sentinel(place.id))),
    ),
  );
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
  return { uid: process.getuid?.() ?? 0, engine, wanted, members, sentinels, free, started, portTaken };
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

async function memberFacts(
  { address, port }: Member,
  credentials: Credentials | undefined,
  paths: UnitPaths,
): Promise<RunningMember> {
  const client = new MemberClient({
    endpoint: { host: address, port },
    credentials,
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
    const folder = realPathOf(settings.config['dir'] ?? '');
    return {
      process: await processFacts(info['process_id'], port),
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
      folderProblem: folderProblemOf(folder),
      folder,
      openFile: openFile(info['config_file']),
      ...whoseIs(paths, info['process_id']),
    };
  } finally {
    client.close();
  }
}

async function sentinelFacts(
  { name }: Spec,
  { address, port }: SentinelPlace,
  credentials: Credentials | undefined,
  paths: UnitPaths,
): Promise<RunningSentinel> {
  const options = { endpoint: { host: address, port }, credentials, timeoutMs: answerWithinMs };
  const client = new SentinelClient(options, name);
  try {
    const watches = await client.watched();
    const isOurs = watches.some((each) => each.name === name);
    const info = parseInfo(String(await client.connection.call('INFO', 'server')));
    return {
      process: await processFacts(info['process_id'], port),
      sentinelId: String(await client.connection.call('SENTINEL', 'MYID')),
      watches,
      flags: isOurs ? (await client.primary()).flags : [],
      colleagues: isOurs
        ? (await client.colleagues()).map(({ address: at, port: on }) => ({ address: at, port: on }))
        : [],
      hasPassword: !(await client.userRules()).includes('nopass'),
      openFile: openFile(info['config_file']),
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
  return { ...identity, uid, keeper: await findKeeper(pid) };
}

/** Where others can come to it. Redis writes it anew for everyone to read, whatever it was (config.c, rewriteConfigOverwriteFile). */
function openFile(file = ''): string | null {
  const searchable = 0o001;
  for (let folder = path.dirname(file); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found === undefined || (found.mode & searchable) === 0) return null;
  }
  return file.startsWith('/') ? file : null;
}

/** By what lies in the state directory. */
function whoseIs(paths: UnitPaths, pid: string | undefined): { taken: boolean; ours: boolean } {
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

function folderProblemOf(folder: string): string | null {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return errorText(error);
  }
}
