/** Which RDB files a server loads. */
import { serverVersion } from '../process/programs.ts';
import { type FileHeader, newestRedisVersion, newestValkeyVersion } from '../rdb/format.ts';
import { type Target, targetOfServer } from '../rdb/target.ts';

/** Valkey refuses the versions that Redis made after they parted. */
const newestCommonVersion = 11;

/** @param text `redis 7.0.15` or `valkey 8.0.1`. A server that is newer than all that are known counts as the newest. */
export function targetOfVersionText(text: string): Target {
  const [product = 'redis', version = ''] = text.split(' ');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  for (let at = minor; at >= 0; at--) {
    const name = `${product}-${major}.${at}`;
    const known = tryTarget(name);
    if (known) return known;
  }
  return product === 'valkey'
    ? { flavor: 'valkey', version: newestValkeyVersion }
    : { flavor: 'redis', version: newestRedisVersion };
}

function tryTarget(name: string): Target | undefined {
  try {
    return targetOfServer(name);
  } catch {
    return undefined;
  }
}

export function loadsAsItIs(target: Target, file: FileHeader, product = target.flavor): boolean {
  if (file.flavor === 'valkey') return target.flavor === 'valkey' && file.version <= target.version;
  return file.version <= (product === 'valkey' ? newestCommonVersion : target.version);
}

/** `redis 7.0.15`, as the program says. */
export async function programVersion(program: string): Promise<string> {
  const found = await serverVersion(program);
  return found === undefined ? 'redis 0' : `${found.product.toLowerCase()} ${found.version}`;
}
