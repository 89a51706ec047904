/**
 * What the most used commands are, on every server of the kinds that the gate knows: used until the server's own table
 * is there. So those who come first, after a start of the gate, share connections as those who come later, and their
 * reads may be sent again. A command that is not here counts until then as one that may write and may change its
 * connection.
 *
 * `test/conformance/gate-commands.test.ts` holds this against a server's table.
 */
const names = {
  readonly:
    'get mget strlen getrange substr exists ttl pttl expiretime pexpiretime type keys randomkey dbsize touch dump ' +
    'hget hmget hgetall hexists hkeys hvals hlen hstrlen hrandfield lrange llen lindex lpos smembers sismember ' +
    'smismember scard srandmember sinter sintercard sunion sdiff zrange zrangebyscore zrevrange zrevrangebyscore ' +
    'zrangebylex zrevrangebylex zscore zmscore zrank zrevrank zcard zcount zlexcount zrandmember zinter zintercard ' +
    'zunion zdiff getbit bitcount bitpos bitfield_ro geopos geodist geohash geosearch georadius_ro ' +
    'georadiusbymember_ro xrange xrevrange xlen xpending pfcount sort_ro lcs eval_ro evalsha_ro fcall_ro scan hscan ' +
    'sscan zscan xread',
  write:
    'set setnx setex psetex append setrange incr decr incrby decrby incrbyfloat mset msetnx getset getdel getex del ' +
    'unlink expire pexpire expireat pexpireat persist rename renamenx copy move hset hsetnx hmset hdel hincrby ' +
    'hincrbyfloat lpush rpush lpushx rpushx linsert lset lrem ltrim lpop rpop rpoplpush lmove lmpop sadd srem spop ' +
    'smove sinterstore sunionstore sdiffstore zadd zincrby zrem zremrangebyscore zremrangebyrank zremrangebylex ' +
    'zpopmin zpopmax zmpop zrangestore zinterstore zunionstore zdiffstore setbit bitop bitfield geoadd ' +
    'geosearchstore georadius georadiusbymember pfadd pfmerge xadd xdel xtrim xack xclaim xautoclaim sort restore ' +
    'flushdb flushall swapdb xreadgroup blpop brpop brpoplpush blmove blmpop bzpopmin bzpopmax bzmpop',
  // Neither, to the server; what they are to the gate is in behaviour.ts.
  '': 'ping echo time info eval evalsha fcall',
};

/** Names in small letters, each with the flag that says what the gate may do with it, or none. */
export const wellKnown: readonly (readonly [name: string, flag: string])[] = Object.entries(names).flatMap(
  ([flag, list]) => list.split(' ').map((name) => [name, flag] as const),
);
