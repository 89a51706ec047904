/** A server that is no cluster refuses these; so must the gate, in the same words. */
const cluster =
  'ADDSLOTS 1|ADDSLOTSRANGE 1 2|BUMPEPOCH|COUNT-FAILURE-REPORTS x|COUNTKEYSINSLOT 1|DELSLOTS 1|DELSLOTSRANGE 1 2|FAILOVER|FLUSHSLOTS|' +
  'FORGET x|GETKEYSINSLOT 1 1|HELP|KEYSLOT a|LINKS|MEET x 1|MYID|NODES|REPLICAS x|' +
  'REPLICATE x|RESET|SAVECONFIG|SET-CONFIG-EPOCH 1|SETSLOT 1 STABLE|SHARDS|SLAVES x|SLOTS';

/**
 * Requests for every command of Redis 7.0 that a client can sanely send, in an order in which they make sense. Each
 * is sent to a server directly and through a gate, and the replies are compared byte by byte.
 */
export const samples = `
PING
PING hello
ECHO "hello world"
SET s hello EX 1000
GET s
GETEX s PERSIST
GETSET s other
GETRANGE s 0 2
SUBSTR s 1 2
SETRANGE s 1 xx
STRLEN s
APPEND s more
SETNX s no
SETEX sx 100 v
PSETEX sy 100000 v
MSET a 1 b 2 c 3
MSETNX d 4 e 5
MGET a b c nothing
INCR a
INCRBY a 10
INCRBYFLOAT a 1.5
DECR b
DECRBY b 5
GETDEL c
LCS d e
SETBIT bits 7 1
GETBIT bits 7
BITCOUNT bits
BITPOS bits 1
BITOP NOT notbits bits
BITFIELD bits SET u8 0 255 GET u4 0
BITFIELD_RO bits GET u4 0
EXISTS a b nothing
TYPE a
TTL s
PTTL nothing
EXPIRE s 1000
PEXPIRE s 1000000
EXPIREAT s 33177117420
PEXPIREAT s 33177117420000
EXPIRETIME s
PEXPIRETIME s
PERSIST s
RENAME s s2
RENAMENX s2 s
COPY s s3
TOUCH s s3
UNLINK s3
DEL sx sy
DBSIZE
OBJECT ENCODING a
OBJECT REFCOUNT s
OBJECT HELP
KEYS nothing*
SCAN 0 MATCH nothing* COUNT 1000
RANDOMKEY nothing
DUMP d
LPUSH l a b c
RPUSH l d e
LPUSHX l x
RPUSHX nolist x
LRANGE l 0 -1
LINDEX l 0
LINSERT l BEFORE a z
LLEN l
LPOS l a
LSET l 0 y
LREM l 1 z
LTRIM l 0 3
LPOP l
RPOP l 2
LMOVE l l LEFT RIGHT
RPOPLPUSH l l
LMPOP 1 l LEFT
RPUSH l a b c d
BLPOP l 1
BRPOP l 1
BRPOPLPUSH l l2 1
BLMOVE l l2 LEFT RIGHT 1
BLMPOP 1 1 l2 LEFT
BLPOP nolist 0.01
SADD set a b c
SADD set2 b c d
SCARD set
SISMEMBER set a
SMISMEMBER set a z
SINTER set set2
SINTERCARD 2 set set2
SINTERSTORE set3 set set2
SUNION nothing set1
SUNIONSTORE set4 set set2
SDIFF set set2
SDIFFSTORE set5 set set2
SMOVE set set2 a
SREM set a
SMEMBERS set5
SRANDMEMBER nothing
SPOP nothing
SSCAN set5 0
ZADD z 1 a 2 b 3 c
ZADD z2 1 b 2 c 3 d
ZCARD z
ZCOUNT z 1 2
ZINCRBY z 5 a
ZRANGE z 0 -1 WITHSCORES
ZRANGESTORE z3 z 0 -1
ZRANGEBYSCORE z 0 10
ZRANGEBYLEX z - +
ZREVRANGE z 0 -1
ZREVRANGEBYSCORE z 10 0
ZREVRANGEBYLEX z + -
ZRANK z a
ZREVRANK z a
ZSCORE z a
ZMSCORE z a q
ZLEXCOUNT z - +
ZINTER 2 z z2 WITHSCORES
ZINTERCARD 2 z z2
ZINTERSTORE z4 2 z z2
ZUNION 2 z z2 WITHSCORES
ZUNIONSTORE z5 2 z z2
ZDIFF 2 z z2
ZDIFFSTORE z6 2 z z2
ZREM z a
ZREMRANGEBYRANK z5 0 0
ZREMRANGEBYSCORE z5 0 1
ZREMRANGEBYLEX z5 [x [y
ZPOPMIN z4
ZPOPMAX z4
ZMPOP 1 z MIN
BZPOPMIN z2 1
BZPOPMAX z2 1
BZMPOP 1 1 z2 MIN
ZRANDMEMBER nothing
ZSCAN z 0
HSET h f1 v1 f2 v2
HSETNX h f3 v3
HMSET h f4 v4
HGET h f1
HMGET h f1 nothing
HGETALL h
HKEYS h
HVALS h
HLEN h
HEXISTS h f1
HSTRLEN h f1
HINCRBY h n 5
HINCRBYFLOAT h n 0.5
HDEL h f1
HRANDFIELD nothing
HSCAN h 0
PFADD hll a b c
PFCOUNT hll
PFMERGE hll2 hll
GEOADD geo 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
GEODIST geo Palermo Catania
GEOHASH geo Palermo
GEOPOS geo Palermo
GEOSEARCH geo FROMLONLAT 15 37 BYRADIUS 200 km ASC
GEOSEARCHSTORE geo2 geo FROMLONLAT 15 37 BYRADIUS 200 km
GEORADIUS geo 15 37 200 km ASC
GEORADIUS_RO geo 15 37 200 km ASC
GEORADIUSBYMEMBER geo Palermo 200 km ASC
GEORADIUSBYMEMBER_RO geo Palermo 200 km ASC
XADD st 1-1 f v
XADD st 2-1 f v
XLEN st
XRANGE st - +
XREVRANGE st + -
XREAD COUNT 1 STREAMS st 0
XREAD BLOCK 10 STREAMS st 2-1
XGROUP CREATE st g 0
XGROUP CREATECONSUMER st g c1
XREADGROUP GROUP g c1 COUNT 1 STREAMS st >
XREADGROUP GROUP g c1 BLOCK 10 STREAMS st >
XPENDING st g
XACK st g 1-1
XCLAIM st g c2 0 2-1 JUSTID
XAUTOCLAIM st g c2 0 0 JUSTID
XGROUP SETID st g 0
XGROUP DELCONSUMER st g c1
XGROUP DESTROY st g
XGROUP HELP
XINFO STREAM st
XINFO GROUPS st
XINFO CONSUMERS st nogroup
XINFO HELP
XDEL st 1-1
XTRIM st MAXLEN 1
XSETID st 5-1
SORT l ALPHA
SORT_RO l ALPHA
EVAL "return {KEYS[1], ARGV[1], 1, false}" 1 k v
EVAL_RO "return redis.call('get', KEYS[1])" 1 d
EVAL "return redis.call('set', KEYS[1], ARGV[1])" 1 ev 1
EVAL "return redis.error_reply('MY error')" 0
EVALSHA 4e6d8fc8bb01276962cce5371fa795a7763657ae 0
EVALSHA_RO ffffffffffffffffffffffffffffffffffffffff 0
SCRIPT LOAD "return 7"
SCRIPT EXISTS ffffffffffffffffffffffffffffffffffffffff
SCRIPT FLUSH
SCRIPT HELP
SCRIPT KILL
FUNCTION LOAD "#!lua name=lib\\nredis.register_function{function_name='fn', callback=function(keys, args) return 5 end, flags={'no-writes'}}"
FCALL fn 0
FCALL_RO fn 0
FUNCTION LIST
FUNCTION STATS
FUNCTION DUMP
FUNCTION RESTORE bad
FUNCTION DELETE lib
FUNCTION FLUSH
FUNCTION KILL
FUNCTION HELP
PUBLISH nobody hello
SPUBLISH nobody hello
PUBSUB CHANNELS
PUBSUB NUMSUB a
PUBSUB NUMPAT
PUBSUB SHARDCHANNELS
PUBSUB SHARDNUMSUB a
PUBSUB HELP
MULTI
SET inmulti 1
INCR inmulti
GET inmulti
EXEC
MULTI
SET inmulti 9
DISCARD
MULTI
NOSUCH
EXEC
WATCH inmulti
MULTI
GET inmulti
EXEC
UNWATCH
EXEC
DISCARD
MULTI
MULTI
EXEC
SELECT 3
SET three 3
GET three
SELECT 99
SELECT x
SELECT 0
GET three
MOVE a 5
SWAPDB 5 6
FLUSHDB
WAIT 0 10
CLIENT GETNAME
CLIENT SETNAME me
CLIENT GETNAME
CLIENT SETNAME "a b"
CLIENT SETNAME
CLIENT GETREDIR
CLIENT TRACKINGINFO
CLIENT NO-EVICT on
CLIENT NO-EVICT off
CLIENT CACHING yes
CLIENT TRACKING on
CLIENT TRACKINGINFO
CLIENT TRACKING off
CLIENT PAUSE 0
CLIENT UNPAUSE
CLIENT UNBLOCK 99999
CLIENT KILL ID 99999
CLIENT KILL 1.2.3.4:5
CLIENT KILL ID 0
CLIENT HELP
CLIENT NOSUCH
CLIENT REPLY
CLIENT
CONFIG GET maxmemory
CONFIG SET maxmemory-samples 5
CONFIG RESETSTAT
CONFIG HELP
CONFIG REWRITE
ACL WHOAMI
ACL USERS
ACL CAT
ACL CAT string
ACL GETUSER default
ACL LIST
ACL SETUSER eve on >pw ~* +@all
ACL DRYRUN eve GET x
ACL DELUSER eve
ACL GENPASS nonsense
ACL LOG RESET
ACL HELP
ACL LOAD
ACL SAVE
AUTH wrong
AUTH nobody wrong
COMMAND COUNT
COMMAND INFO get
COMMAND DOCS get
COMMAND GETKEYS set a b
COMMAND GETKEYSANDFLAGS set a b
COMMAND LIST FILTERBY PATTERN get*
COMMAND HELP
MEMORY USAGE d
MEMORY HELP
MEMORY DOCTOR
MEMORY PURGE
MEMORY MALLOC-STATS x
SLOWLOG RESET
SLOWLOG LEN
SLOWLOG GET 0
SLOWLOG HELP
LATENCY RESET
LATENCY LATEST
LATENCY HISTORY x
LATENCY GRAPH x
LATENCY DOCTOR
LATENCY HISTOGRAM nosuch
LATENCY HELP
MODULE LIST
MODULE LOAD /nosuch
MODULE LOADEX /nosuch
MODULE UNLOAD nosuch
MODULE HELP
ROLE
READONLY
READWRITE
ASKING
CLUSTER INFO
LASTSAVE x
HELLO 4
HELLO x
HELLO 2 AUTH nobody wrong
HELLO 2 SETNAME
RESTORE r 0 bad
MIGRATE
OBJECT FREQ d
OBJECT IDLETIME nothing
FAILOVER ABORT
REPLICAOF
SLAVEOF
LOLWUT x
PFDEBUG
PFSELFTEST x
MONITOR x
NOSUCHCOMMAND a b
GET
SET a
INCR l x
LPUSH d x
SUBSCRIBE
UNSUBSCRIBE
UNSUBSCRIBE a
PUNSUBSCRIBE
SUNSUBSCRIBE
SAVE x
BGSAVE x
BGREWRITEAOF x
SHUTDOWN x y z
SYNC x
PSYNC x
REPLCONF ACK 1
SCRIPT DEBUG YES
RESET
PING
FLUSHALL
`
  .split('\n')
  .filter((line) => line !== '')
  .concat(cluster.split('|').map((line) => `CLUSTER ${line}`));

/** Commands that no sample covers, with the reason. */
export const leftOut: Record<string, string> = {
  'restore-asking': 'only between the nodes of a cluster',
  subscribe: 'answers more than once: see gate-pubsub.test.ts',
  psubscribe: 'answers more than once: see gate-pubsub.test.ts',
  ssubscribe: 'answers more than once: see gate-pubsub.test.ts',
  debug: 'refused by the gate unless allowed',
  time: 'differs by its nature',
  info: 'differs by its nature',
  'memory|stats': 'figures of one server',
  'client|id': 'differs by its nature: see gate-protocol.test.ts',
  'client|info': 'differs by its nature: see gate-protocol.test.ts',
  'client|list': 'differs by its nature: see gate-protocol.test.ts',
  quit: 'closes the connection: see gate-protocol.test.ts',
};

/** The gate answers these in its own way; docs/gate.md says how. */
export const differs: Record<string, string> = {
  'SYNC x': 'a gate is no source of replication',
  'PSYNC x': 'a gate is no source of replication',
  'REPLCONF ACK 1': 'a gate is no source of replication; a server answers nothing',
  'SCRIPT DEBUG YES': 'the debugger would take the connection over, which others share',
};
