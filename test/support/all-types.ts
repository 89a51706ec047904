import type { Redis } from 'ioredis';

/** Keys of every type in two databases, with and without an expiry, named by number: what a source of a migration holds. */
export async function fillWithAllTypes(redis: Redis, keys: number): Promise<void> {
  const farMs = Date.now() + 3_600_000;
  for (const db of [0, 3]) {
    const pipeline = redis.pipeline().select(db);
    for (let n = 0; n < keys; n++) {
      const key = `${['string', 'list', 'set', 'zset', 'hash', 'stream'][n % 6]}:${n}`;
      const elements = n % 97 === 0 ? 300 : 3;
      const texts = Array.from({ length: elements }, (_, index) => `${key}-${index}`);
      if (n % 6 === 0) pipeline.set(key, n % 5 === 0 ? 'x'.repeat(5000) : texts.join());
      if (n % 6 === 1) pipeline.rpush(key, ...texts);
      if (n % 6 === 2) pipeline.sadd(key, ...texts);
      if (n % 6 === 3) pipeline.zadd(key, ...texts.flatMap((text, index) => [index / 7, text]));
      if (n % 6 === 4) pipeline.hset(key, ...texts.flatMap((text, index) => [text, index]));
      if (n % 6 === 5) {
        for (const text of texts) pipeline.xadd(key, '*', 'field', text);
        pipeline
          .xgroup('CREATE', key, 'readers', '0')
          .xreadgroup('GROUP', 'readers', 'one', 'COUNT', 1, 'STREAMS', key, '>');
      }
      if (n % 4 === 0) pipeline.pexpireat(key, farMs + n);
    }
    pipeline.set(Buffer.from([0xff, 0x00, 0x0d, 0x0a]), Buffer.from([0, 255]));
    await pipeline.exec();
  }
  await redis.select(0);
}
