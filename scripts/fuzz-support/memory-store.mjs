// A store in memory, for tests and for fuzzing.

export class MemoryStore {
  url = 'memory:';
  objects = new Map();
  /** Names that were to be removed, whether or not they were there. */
  removed = [];
  ignoresConditions;

  /** `ignoresConditions`: it writes over what is there, as old S3-compatible servers do. */
  constructor({ ignoresConditions = false } = {}) {
    this.ignoresConditions = ignoresConditions;
  }

  async list(prefix) {
    const named = [...this.objects].filter(([name]) => name.startsWith(prefix));
    return named.map(([name, bytes]) => ({ name, bytes: bytes.length, modifiedMs: 0 }));
  }

  async *read(name, offset = 0) {
    const bytes = this.objects.get(name);
    if (bytes === undefined)
      throw Object.assign(new Error(`there is no ${name}`), { code: 'BACKUP_NOT_FOUND' });
    yield bytes.subarray(offset);
  }

  async upload(name) {
    const pieces = [];
    return {
      write: async (bytes) => void pieces.push(Buffer.from(bytes)),
      commit: async () => void this.objects.set(name, Buffer.concat(pieces)),
      abandon: async () => {},
    };
  }

  async put(name, bytes, { ifAbsent = false } = {}) {
    if (ifAbsent && !this.ignoresConditions && this.objects.has(name)) return false;
    this.objects.set(name, Buffer.from(bytes));
    return true;
  }

  async remove(name) {
    this.removed.push(name);
    this.objects.delete(name);
  }

  async sweep() {
    return 0;
  }
}

/** A backup taken then, as its manifest tells of it; its data is one byte. */
export function sampleManifest(startedAt, deployment = 'test') {
  const id = `redis_${startedAt.slice(0, 19).replaceAll(':', '')}Z`;
  const sum = { bytes: 1, sha256: '0'.repeat(64) };
  return {
    version: 1,
    id,
    deployment,
    object: `${id}.rdb`,
    startedAt,
    finishedAt: startedAt,
    durationMs: 1,
    source: { member: 'redis-2', address: '127.0.0.1', port: 6379, role: 'replica' },
    serverVersion: 'redis 7.0.15',
    holdfastVersion: '0.1.0',
    rdbVersion: 10,
    replicationId: 'a'.repeat(40),
    replicationOffset: 1,
    keys: 1,
    databases: [{ db: 0, keys: 1, expiring: 0 }],
    functions: 0,
    dataDigest: 'd2:0',
    rdb: sum,
    stored: sum,
    compression: 'none',
    encryption: 'none',
    reason: 'manual',
  };
}
