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
export type Target = FileHeader;

/** The RDB version of each server, as its src/rdb.h has it. A name without a minor version means its first. */
const servers: Record<string, Target> = {
  'redis-2.6': { flavor: 'redis', version: 6 },
  'redis-2.8': { flavor: 'redis', version: 6 },
  'redis-3.0': { flavor: 'redis', version: 6 },
  'redis-3.2': { flavor: 'redis', version: 7 },
  'redis-4.0': { flavor: 'redis', version: 8 },
  'redis-5.0': { flavor: 'redis', version: 9 },
  'redis-6.0': { flavor: 'redis', version: 9 },
  'redis-6.2': { flavor: 'redis', version: 9 },
  'redis-7.0': { flavor: 'redis', version: 10 },
  'redis-7.2': { flavor: 'redis', version: 11 },
  'redis-7.4': { flavor: 'redis', version: 12 },
  'redis-8.0': { flavor: 'redis', version: 12 },
  'valkey-7.2': { flavor: 'redis', version: 11 },
  'valkey-8.0': { flavor: 'redis', version: 11 },
  'valkey-8.1': { flavor: 'redis', version: 11 },
  'valkey-9.0': { flavor: 'valkey', version: 80 },
};

const oldestWritten = 6;

/** The target that a server's name stands for: `redis-7.0`, `valkey-8`. @throws RDB_TARGET_UNKNOWN */
export function targetOfServer(name: string): Target {
  const full = Object.keys(servers).find((known) => known === name || known.startsWith(`${name}.`));
  if (full === undefined) {
    throw RdbTargetUnknown(`no server is known as '${name}'`, {
      hint: `Known are ${Object.keys(servers).join(', ')}.`,
    });
  }
  return servers[full]!;
}

/** The target for an RDB version: 6 to 12 are Redis's, 80 is Valkey's. @throws RDB_TARGET_UNKNOWN */
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
  const valkey = headers.filter(({ flavor }) => flavor === 'valkey');
  const flavor: Flavor = valkey.length > 0 ? 'valkey' : 'redis';
  const versions = (valkey.length > 0 ? valkey : headers).map(({ version }) => version);
  return { flavor, version: Math.max(oldestWritten, ...versions) };
}

/** Whether the target's loader knows this type, as this flavor of file has it. */
export function isKnownTo(target: Target, typeByte: number, from: Flavor): boolean {
  const info = typeInfo(typeByte, from);
  if (info === undefined) return false;
  if (typeByte >= type.hashMetadataPreGa && target.flavor !== from) return false;
  if (target.flavor === 'valkey') return typeByte <= type.hashMetadataPreGa;
  return info.since <= target.version;
}
