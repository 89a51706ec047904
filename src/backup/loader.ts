/** Which of the servers on this host can load a backup, so that one of an upgraded deployment is not called bad. */
import { findPrograms, type ServerVersion, serverVersion } from '../process/programs.ts';
import { bodyMode } from '../rdb/body/mode.ts';
import { newestValkeyVersion, type as rdbType } from '../rdb/format.ts';
import { lacksModule } from '../rdb/module-types.ts';
import { pump } from '../rdb/pump.ts';
import type { BodyWish } from '../rdb/scan-handler.ts';
import { Scanner } from '../rdb/scanner.ts';
import { loadsAsItIs, targetOfVersionText } from '../rdb/target.ts';
import { ModuleMissing, ServerTooOldForBackup } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { type ScratchOptions, ScratchServer } from './scratch-server.ts';
import { askModules } from './server-modules.ts';

type Written = Pick<Manifest, 'id' | 'rdbVersion' | 'serverVersion'>;

/** Whether a server of this release loads it: by its version, or because it is of the release that wrote it, or a later one. */
export function loadsBackup(version: string, { rdbVersion, serverVersion: by }: Written): boolean {
  const flavor = rdbVersion >= newestValkeyVersion ? 'valkey' : 'redis';
  if (loadsAsItIs(targetOfVersionText(version), { flavor, version: rdbVersion })) return true;
  const [product, release] = version.split(' ');
  const [writer, written] = by.split(' ');
  return product === writer && !isOlder(numbersOf(release), numbersOf(written));
}

function numbersOf(release = ''): number[] {
  return release.split('.').map((part) => Number.parseInt(part, 10) || 0);
}

function isOlder(one: number[], other: number[]): boolean {
  for (let at = 0; at < other.length; at++) {
    const difference = (one[at] ?? 0) - other[at]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/**
 * The program to load a backup with: the preferred one when it can, else another that is installed.
 * @throws BACKUP_NEEDS_NEWER_SERVER, which says nothing about the backup.
 */
export async function findLoader(manifest: Written, preferred: string): Promise<string> {
  const installed = ['redis-server', 'valkey-server'].flatMap(findPrograms);
  const tried: string[] = [];
  for (const program of new Set([preferred, ...installed])) {
    const version = await versionText(program);
    if (version !== undefined && loadsBackup(version, manifest)) return program;
    tried.push(`${program} (${version ?? 'which does not say its version'})`);
  }
  const { id, serverVersion: by, rdbVersion } = manifest;
  throw ServerTooOldForBackup(
    `${id} was taken from ${by} in RDB version ${rdbVersion}, which no server here can load: ${tried.join(', ')}`,
    {
      hint: 'Verify it where that release, or a newer one, is installed; redis.binary in the spec, or HOLDFAST_REDIS_SERVER, names the program.',
    },
  );
}

async function versionText(program: string): Promise<string | undefined> {
  const found: ServerVersion | undefined = await serverVersion(program).catch(() => undefined);
  return found === undefined ? undefined : `${found.product.toLowerCase()} ${found.version}`;
}

/**
 * For a file that a scratch server did not load: whether that is for want of a module.
 * @throws BACKUP_NEEDS_MODULE, which says nothing about the backup.
 */
export async function refuseMissingModules(
  id: string,
  source: AsyncIterable<Buffer>,
  options: ScratchOptions,
): Promise<void> {
  const types = await moduleTypesIn(source);
  if (types.size === 0) return;
  const empty = new ScratchServer(options);
  try {
    await empty.start();
    const modules = await askModules((name, ...args) => empty.client.connection.call(name, ...args));
    const target = targetOfVersionText((await versionText(options.redisServer)) ?? '', modules);
    const missing = [...types].filter((type) => lacksModule(target, type) !== undefined);
    if (missing.length === 0) return;
    throw ModuleMissing(
      `${id} has values of modules that ${options.redisServer} does not load: ${missing.join(', ')}`,
      {
        hint: 'This says nothing about the backup. Name the modules in redis.config.loadmodule, and verify it again.',
      },
    );
  } finally {
    await empty.stop();
  }
}

async function moduleTypesIn(source: AsyncIterable<Buffer>): Promise<Set<string>> {
  const types = new Set<string>();
  const wish: BodyWish = { mode: bodyMode.skip, raw: undefined };
  const scanner: Scanner = new Scanner(
    {
      moduleAux: ({ moduleType }) => {
        types.add(moduleType);
        return wish;
      },
      key: ({ type, moduleType }) => {
        if (type === rdbType.module2) types.add(moduleType);
        return wish;
      },
    },
    { checksum: false },
  );
  // A file that can't be read to its end is bad for another reason.
  await pump(source, scanner).catch(() => {});
  return types;
}
