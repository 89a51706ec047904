import type { Redis } from 'ioredis';

const batchKeys = 1000;

/** Sets `key:0`, `key:1` and so on to random bytes, which do not compress. */
export async function setRandomKeys(redis: Redis, keys: number, valueBytes: number): Promise<void> {
  const bytes = Buffer.alloc(valueBytes);
  for (let key = 0; key < keys; ) {
    const batch = redis.pipeline();
    for (const end = Math.min(keys, key + batchKeys); key < end; key++) {
      for (let at = 0; at + 4 <= valueBytes; at += 4)
        bytes.writeUInt32LE((Math.random() * 2 ** 32) >>> 0, at);
      batch.set(`key:${key}`, Buffer.from(bytes));
    }
    await batch.exec();
  }
}
