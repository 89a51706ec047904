import type { Redis } from 'ioredis';

/** Puts at least one value of every encoding that Redis 7.0 knows into a server, in three databases. */
export async function fillWithEverything(redis: Redis): Promise<void> {
  const text = (length: number, seed: string) =>
    seed.repeat(Math.ceil(length / seed.length)).slice(0, length);
  const many = (count: number, make: (index: number) => string[]) =>
    Array.from({ length: count }, (_, i) => make(i)).flat();
  await redis.select(0);
  for (const [key, value] of [
    ['int8', '-7'],
    ['int16', '31000'],
    ['int32', '-2000000000'],
    ['int64', '9223372036854775807'],
    ['no-int', '007'],
    ['empty', ''],
    ['short', 'abc'],
    ['kilo', text(1000, 'abcdefghij0123456789')],
    ['mega', text(1_000_000, 'The quick brown fox jumps over the lazy dog. ')],
    [
      'noise',
      Array.from({ length: 20_000 }, (_, i) => String.fromCharCode(33 + ((i * i * 31 + i * 7) % 90))).join(
        '',
      ),
    ],
  ] as const) {
    await redis.set(`string:${key}`, value);
  }
  await redis.set(Buffer.from([0xff, 0, 0x0a, 0xc3, 0x28]), Buffer.from([0, 1, 2, 0xfe, 0xff]));
  await redis.set(text(500, 'long-key-'), 'v');
  await redis.set('12345', 'a key that is an integer');
  await redis.rpush('list:short', 'a', '1', '-300', '70000', '9000000000', text(100, 'xy'), '');
  await redis.rpush('list:long', ...many(3000, (index) => [`element ${index}`]));
  await redis.rpush('list:plain-nodes', text(20_000, 'z1'), 'small', text(9000, 'q2'));
  await redis.sadd('set:int16', '1', '-2', '300');
  await redis.sadd('set:int32', '1', '-2', '70000');
  await redis.sadd('set:int64', '1', '-2', '9000000000');
  await redis.sadd('set:words', 'a', 'b', text(100, 'c'));
  await redis.sadd('set:many', ...many(2000, (index) => [`member-${index}`]));
  await redis.zadd(
    'zset:short',
    '1',
    'one',
    '2.5',
    'two and a half',
    '-inf',
    'least',
    'inf',
    'most',
    '3.0000000000000004',
    'odd',
  );
  await redis.zadd('zset:many', ...many(1000, (index) => [String(index / 7), `member-${index}`]));
  await redis.hset('hash:short', 'field', 'value', 'number', '42', 'empty', '');
  await redis.hset('hash:many', ...many(1000, (index) => [`field-${index}`, `value ${index}`]));
  await redis.hset('hash:long', 'field', text(5000, 'long value '));
  await fillStreams(redis);
  await redis.call(
    'FUNCTION',
    'LOAD',
    "#!lua name=lib\nredis.register_function('f', function() return 1 end)",
  );
  await redis.set('expires:later', 'v', 'PXAT', 4_102_444_800_123);
  await redis.hset('expires:hash', 'a', '1');
  await redis.pexpireat('expires:hash', 4_102_444_800_456);
  await redis.select(3);
  await redis.set('in another database', 'yes');
  await redis.select(15);
  await redis.rpush('string:int8', 'the same name, another database, another type');
  await redis.select(0);
}

async function fillStreams(redis: Redis): Promise<void> {
  for (let index = 1; index <= 300; index++) {
    await redis.xadd('stream:many', `${index}-${index % 3}`, 'sensor', 'a', 'value', String(index));
  }
  await redis.xadd('stream:many', '9000-0', 'other', 'fields', 'than', 'the', 'first', '9');
  await redis.xdel('stream:many', '5-2', '6-0', '300-0');
  await redis.xgroup('CREATE', 'stream:many', 'readers', '0');
  await redis.xreadgroup('GROUP', 'readers', 'alice', 'COUNT', 20, 'STREAMS', 'stream:many', '>');
  await redis.xreadgroup('GROUP', 'readers', 'bob', 'COUNT', 5, 'STREAMS', 'stream:many', '>');
  await redis.xack('stream:many', 'readers', '1-1', '2-2');
  await redis.xgroup('CREATE', 'stream:many', 'idle', '$');
  await redis.xadd('stream:emptied', '1-1', 'a', 'b');
  await redis.xdel('stream:emptied', '1-1');
}
