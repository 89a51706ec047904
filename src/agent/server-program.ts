/**
 * Which redis-server or valkey-server is run. What the spec names goes first; without that HOLDFAST_REDIS_SERVER, which
 * is for commands that know no spec; else whichever of the two is installed.
 */
import { errorText } from '../base/errors.ts';
import { findProgram, type ServerVersion, serverVersion } from '../process/programs.ts';
import type { EngineChoice } from '../spec/spec.ts';
import { ProgramMissing, ServerNotAsSpecified, ServerTooOld } from './errors.ts';

/** ACL users for replication, RESET, ROLE in Sentinel and the like need it. */
const oldest = { major: 6, minor: 2 };

const productOf = { redis: 'Redis', valkey: 'Valkey' } as const;

const anyServer: EngineChoice = { engine: null, binary: null, version: null };

export interface ServerProgram {
  /** Full path. */
  program: string;
  version: ServerVersion;
}

/** @throws PROGRAM_MISSING, SERVER_TOO_OLD, SERVER_NOT_AS_SPECIFIED */
export async function findRedisServer(choice: EngineChoice = anyServer): Promise<ServerProgram> {
  const wanted = wantedNames(choice);
  const program = wanted.map(findProgram).find((each) => each !== undefined);
  if (program === undefined) {
    throw notInstalled(choice, wanted);
  }
  const version = await serverVersion(program).catch((cause) => {
    throw ProgramMissing(`${program} can't be run: ${errorText(cause)}`, { cause });
  });
  if (!version) {
    throw ProgramMissing(`${program} --version does not answer as Redis or Valkey do`, {
      hint: 'redis.binary in the spec names the program to use.',
    });
  }
  const { product, major, minor } = version;
  const tooOld =
    product === 'Redis' && (major < oldest.major || (major === oldest.major && minor < oldest.minor));
  if (tooOld) {
    throw ServerTooOld(
      `${program} is Redis ${version.version}; holdfast needs ${oldest.major}.${oldest.minor} or newer`,
      { hint: 'Install a newer Redis or Valkey, or name one with redis.binary in the spec.' },
    );
  }
  const difference = differenceFrom(choice, version);
  if (difference !== undefined) {
    throw ServerNotAsSpecified(
      `${program} is ${product} ${version.version}, and the spec says ${difference}`,
      {
        hint: 'Name the program with redis.binary, install what the spec says, or change what it says.',
      },
    );
  }
  return { program, version };
}

const howToInstall = {
  redis:
    'Debian, Ubuntu: apt-get install redis-server redis-tools. Fedora: dnf install redis. macOS: brew install redis.',
  valkey:
    'Debian 13, Ubuntu 24.04: apt-get install valkey-server valkey-tools (Debian 12 has it in its backports). Fedora: dnf install valkey. macOS: brew install valkey.',
};

function notInstalled({ engine, binary }: EngineChoice, wanted: readonly string[]): Error {
  if (binary?.includes('/')) {
    return ProgramMissing(
      `redis.binary names ${binary}, which is not there, or is no program that can be run`,
      {
        hint: 'Name the full path of a redis-server or valkey-server; a path without / at its beginning starts from the folder of the spec.',
      },
    );
  }
  const asked = engine === null ? '' : `the spec says redis.engine: ${engine}, but `;
  return ProgramMissing(`${asked}${wanted.join(' or ')} is not installed, or not on the PATH`, {
    hint: `${howToInstall[engine ?? 'redis']} redis.binary in the spec names another program.`,
  });
}

function wantedNames({ engine, binary }: EngineChoice): string[] {
  if (binary !== null) return [binary];
  if (engine !== null) return [`${engine}-server`];
  const fromEnvironment = process.env['HOLDFAST_REDIS_SERVER'];
  return fromEnvironment ? [fromEnvironment] : ['redis-server', 'valkey-server'];
}

/** What of the spec's choice a program is not, in words of the spec; undefined when it is all of it. */
export function differenceFrom(
  { engine, version: wanted }: EngineChoice,
  found: ServerVersion,
): string | undefined {
  if (engine !== null && productOf[engine] !== found.product) return `redis.engine: ${engine}`;
  if (wanted === null || found.version === wanted || found.version.startsWith(`${wanted}.`)) return undefined;
  return `redis.version: "${wanted}"`;
}

/** Whether its ACLs have selectors. */
export function hasAclSelectors({ product, major }: ServerVersion): boolean {
  return product === 'Valkey' || major >= 7;
}
