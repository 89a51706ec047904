import { type Ability, type Product, type Release, releaseHas } from './abilities.ts';
import { RdbTargetUnknown } from './errors.ts';
import {
  type FileHeader,
  type Flavor,
  newestRedisVersion,
  newestValkeyVersion,
  type,
  typeInfo,
} from './format.ts';

/** What a file is written for: the newest version that the server which will load it understands. */
export interface Target extends FileHeader {
  /** The server, when one was named or asked: versions alone do not tell all that it has. */
  server?: TargetServer;
}

export interface TargetServer {
  product: Product;
  release: Release;
  /** What modules it has; undefined when nobody asked it. */
  modules?: LoadedModules;
}

/** What a server says of its modules. */
export interface LoadedModules {
  /** Types of values, as in the file, that it can load. */
  types: readonly string[];
  /** It has modules whose types are not known here: they may be the ones that are needed. */
  hasOthers: boolean;
}

interface Server {
  product: Product;
  release: Release;
  rdb: FileHeader;
}

function redis(major: number, minor: number, version: number): Server {
  return { product: 'redis', release: [major, minor], rdb: { flavor: 'redis', version } };
}

/** Up to 8.1 Valkey writes the format that it had from Redis 7.2. */
function valkey(major: number, minor: number): Server {
  const rdb: FileHeader =
    major < 9 ? { flavor: 'redis', version: 11 } : { flavor: 'valkey', version: newestValkeyVersion };
  return { product: 'valkey', release: [major, minor], rdb };
}

/** The RDB version of each server, as its src/rdb.h has it; the oldest of each product first. */
const servers: readonly Server[] = [
  redis(2, 6, 6),
  redis(2, 8, 6),
  redis(3, 0, 6),
  redis(3, 2, 7),
  redis(4, 0, 8),
  redis(5, 0, 9),
  redis(6, 0, 9),
  redis(6, 2, 9),
  redis(7, 0, 10),
  redis(7, 2, 11),
  redis(7, 4, 12),
  redis(8, 0, 12),
  redis(8, 2, 12),
  redis(8, 4, 12),
  redis(8, 6, newestRedisVersion),
  valkey(7, 2),
  valkey(8, 0),
  valkey(8, 1),
  valkey(9, 0),
  valkey(9, 1),
];

const oldestWritten = 6;

/** `redis-7.0` for each server that can be written for. */
export const serverNames: readonly string[] = servers.map(nameOf);

function nameOf({ product, release }: Server): string {
  return `${product}-${release.join('.')}`;
}

function targetOf({ product, release, rdb }: Server): Target {
  return { ...rdb, server: { product, release } };
}

/**
 * The target that a server's name stands for: `redis-7.0`, `valkey-8`. A name without a minor version means its first.
 * @throws RDB_TARGET_UNKNOWN
 */
export function targetOfServer(name: string): Target {
  const found = servers.find((server) => nameOf(server) === name || nameOf(server).startsWith(`${name}.`));
  if (found !== undefined) return targetOf(found);
  throw RdbTargetUnknown(`no server is known as '${name}'`, {
    hint: `Known are ${serverNames.join(', ')}.`,
  });
}

/**
 * What a server of this release loads: as much as the newest known release of its product that is not newer.
 * @param text `redis 7.0.15` or `valkey 8.0.1`.
 */
export function targetOfVersionText(text: string, modules?: LoadedModules): Target {
  const product: Product = text.startsWith('valkey') ? 'valkey' : 'redis';
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(text) ?? []).map(Number);
  const known = servers.filter((server) => server.product === product);
  const isNewer = ({ release: [first, second] }: Server) =>
    first > major || (first === major && second > minor);
  const found = known.findLast((server) => !isNewer(server)) ?? known[0]!;
  const server: TargetServer = { product, release: [major, minor] };
  return { ...found.rdb, server: modules === undefined ? server : { ...server, modules } };
}

/** The target for an RDB version: 6 to 13 are Redis's, 80 is Valkey's. @throws RDB_TARGET_UNKNOWN */
export function targetOfVersion(version: number): Target {
  if (version === newestValkeyVersion) return { flavor: 'valkey', version };
  if (Number.isInteger(version) && version >= oldestWritten && version <= newestRedisVersion) {
    return { flavor: 'redis', version };
  }
  throw RdbTargetUnknown(`RDB version ${version} cannot be written`, {
    hint: `Say ${oldestWritten} to ${newestRedisVersion}, or ${newestValkeyVersion} for Valkey 9.`,
  });
}

/** The lowest target that holds whatever these files hold. */
export function targetOfInputs(headers: FileHeader[]): Target {
  const valkeys = headers.filter(({ flavor }) => flavor === 'valkey');
  const flavor: Flavor = valkeys.length > 0 ? 'valkey' : 'redis';
  const versions = (valkeys.length > 0 ? valkeys : headers).map(({ version }) => version);
  return { flavor, version: Math.max(oldestWritten, ...versions) };
}

/** Whether the target has something. Of a version without a server, it is what the newest server of it has. */
export function can(target: Target, ability: Ability): boolean {
  const { server } = target;
  if (server !== undefined) return releaseHas(ability, server.product, server.release);
  const newest = servers.findLast(
    ({ product, rdb }) => product === target.flavor && rdb.version <= target.version,
  );
  return newest !== undefined && releaseHas(ability, newest.product, newest.release);
}

/** Whether the target's loader knows this type, as this flavor of file has it. */
export function isKnownTo(target: Target, typeByte: number, from: Flavor): boolean {
  const info = typeInfo(typeByte, from);
  if (info === undefined) return false;
  if (typeByte >= type.hashMetadataPreGa && target.flavor !== from) return false;
  if (target.flavor === 'valkey') return typeByte <= type.hashMetadataPreGa;
  return info.since <= target.version;
}

/** Valkey refuses the versions that Redis made after they parted. */
const newestCommonVersion = 11;

/** Whether a server loads files of this version at all. */
export function loadsAsItIs(target: Target, file: FileHeader): boolean {
  if (file.flavor === 'valkey') return target.flavor === 'valkey' && file.version <= target.version;
  return file.version <= (target.flavor === 'valkey' ? newestCommonVersion : target.version);
}
