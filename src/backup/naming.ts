/** `redis_2022-01-27T200000Z`: sorts by time, and every file system and every S3 takes it. */
export function backupId(startedMs: number): string {
  const iso = new Date(startedMs).toISOString();
  return `redis_${iso.slice(0, 19).replaceAll(':', '')}Z`;
}

export function isBackupId(text: string): boolean {
  return /^redis_\d{4}-\d\d-\d\dT\d{6}Z$/.test(text);
}

/** The object that holds the data; its name says what to unpack it with, from right to left. */
export function objectName(id: string, { compression, encryption }: PackedAs): string {
  const packed = { none: '', gzip: '.gz', zstd: '.zst' }[compression];
  return `${id}.rdb${packed}${encryption === 'age' ? '.age' : ''}`;
}

export function manifestName(id: string): string {
  return `${id}.json`;
}

/** How an object is packed; both `none`: it is the RDB itself. */
export interface PackedAs {
  compression: 'none' | 'gzip' | 'zstd';
  encryption: 'none' | 'age';
}

/** The id of the backup that an object belongs to, and what the object is; undefined for what is none of ours. */
export function parseName(name: string): { id: string; is: 'manifest' | 'data' } | undefined {
  const match = /^(redis_\d{4}-\d\d-\d\dT\d{6}Z)\.(json|rdb(?:\.gz|\.zst)?(?:\.age)?)$/.exec(name);
  if (!match) return undefined;
  return { id: match[1] as string, is: match[2] === 'json' ? 'manifest' : 'data' };
}
