import { BackupNotFound } from '../../src/backup/errors.ts';
import type { BackupStore, StoredObject, Upload } from '../../src/backup/store.ts';

/** A store in memory. `ignoresConditions`: it writes over what is there, as old S3-compatible servers do. */
export class MemoryStore implements BackupStore {
  readonly url = 'memory:';
  readonly objects = new Map<string, Buffer>();
  readonly ignoresConditions: boolean;

  constructor(options: { ignoresConditions?: boolean } = {}) {
    this.ignoresConditions = options.ignoresConditions ?? false;
  }

  async list(prefix: string): Promise<StoredObject[]> {
    const named = [...this.objects].filter(([name]) => name.startsWith(prefix));
    return named.map(([name, bytes]) => ({ name, bytes: bytes.length, modifiedMs: 0 }));
  }

  async *read(name: string, offset = 0): AsyncGenerator<Buffer> {
    const bytes = this.objects.get(name);
    if (bytes === undefined) throw BackupNotFound(`there is no ${name}`);
    yield bytes.subarray(offset);
  }

  async upload(name: string): Promise<Upload> {
    const pieces: Buffer[] = [];
    return {
      write: async (bytes) => void pieces.push(Buffer.from(bytes)),
      commit: async () => void this.objects.set(name, Buffer.concat(pieces)),
      abandon: async () => {},
    };
  }

  async put(name: string, bytes: Buffer, options: { ifAbsent?: boolean } = {}): Promise<boolean> {
    if (options.ifAbsent && !this.ignoresConditions && this.objects.has(name)) return false;
    this.objects.set(name, Buffer.from(bytes));
    return true;
  }

  async remove(name: string): Promise<void> {
    this.objects.delete(name);
  }

  async sweep(): Promise<number> {
    return 0;
  }
}

/** A backup taken then, as its manifest tells of it; its data is one byte. */
export function sampleManifest(startedAt: string, deployment = 'test') {
  const id = `redis_${startedAt.slice(0, 19).replaceAll(':', '')}Z`;
  const sum = { bytes: 1, sha256: '0'.repeat(64) };
  return {
    version: 1 as const,
    id,
    deployment,
    object: `${id}.rdb`,
    startedAt,
    finishedAt: startedAt,
    durationMs: 1,
    source: { member: 'redis-2', address: '127.0.0.1', port: 6379, role: 'replica' as const },
    serverVersion: 'redis 7.0.15',
    holdfastVersion: '0.1.0',
    rdbVersion: 10,
    replicationId: 'a'.repeat(40),
    replicationOffset: 1,
    keys: 1,
    databases: [{ db: 0, keys: 1, expiring: 0 }],
    functions: 0,
    dataDigest: 'd1:0',
    rdb: sum,
    stored: sum,
    compression: 'none' as const,
    encryption: 'none' as const,
    reason: 'manual' as const,
  };
}
