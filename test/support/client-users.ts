import { Redis } from 'ioredis';
import { createClient, defineScript } from 'redis';

/**
 * What people do with a client library, with each of two libraries. A step throws when its answer is wrong; `n` makes
 * its keys and values its own.
 */
export interface ClientUser {
  readonly name: string;
  readonly steps: Record<string, (n: number) => Promise<void>>;
  /** Waits at a list until something is pushed there. */
  blockOn(list: string): Promise<string>;
  push(list: string, value: string): Promise<unknown>;
  subscribe(channel: string, onMessage: (text: string) => void): Promise<void>;
  publish(channel: string, text: string): Promise<unknown>;
  close(): void;
}

export const library = `#!lua name=mylib
redis.register_function('shout', function(keys, args) return string.upper(args[1]) end)`;
const script = "return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}";

function same(found: unknown, wanted: unknown): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`wanted ${right}, found ${left}`);
}

type WithScript = Redis & { counted(key: string, value: string): Promise<unknown> };

export async function ioredisUser(port: number): Promise<ClientUser> {
  const open = () => new Redis(port, '127.0.0.1', { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  const [main, blocking, listening] = [open(), open(), open()];
  for (const each of [main, blocking, listening]) each.on('error', () => {});
  main.defineCommand('counted', { numberOfKeys: 1, lua: script });
  await main.call('FUNCTION', 'LOAD', 'REPLACE', library);
  await main.xgroup('CREATE', 'io:stream', 'group', '$', 'MKSTREAM');
  const steps = {
    pipeline: async (n: number) => {
      const key = `io:p:${n}`;
      const all = await main.pipeline().set(key, n).get(key).incr(key).del(key).get(key).exec();
      for (const [error] of all ?? []) if (error) throw error;
      same(
        all?.map(([, value]) => value),
        ['OK', `${n}`, n + 1, 1, null],
      );
    },
    transaction: async (n: number) => {
      const all = await main.multi().set('io:t', n).get('io:t').exec();
      same(
        all?.map(([, value]) => value),
        ['OK', `${n}`],
      );
    },
    'blocking pop': async (n: number) => {
      await main.rpush(`io:l:${n}`, n);
      same(await blocking.blpop(`io:l:${n}`, 1), [`io:l:${n}`, `${n}`]);
    },
    'consumer group': async (n: number) => {
      const id = (await main.xadd('io:stream', '*', 'n', n)) as string;
      const read = await main.xreadgroup('GROUP', 'group', 'me', 'BLOCK', 500, 'STREAMS', 'io:stream', '>');
      const ids = (read as [string, [string, string[]][]][])?.[0]?.[1].map(([each]) => each) ?? [];
      if (!ids.includes(id)) throw new Error(`entry ${id} was not read but ${ids.join()}`);
      same(await main.xack('io:stream', 'group', ...ids), ids.length);
    },
    script: async (n: number) =>
      same(await (main as WithScript).counted(`io:s:${n}`, `${n}`), [`io:s:${n}`, `${n}`, 1]),
    function: async (n: number) => same(await main.call('FCALL', 'shout', '0', `n${n}`), `N${n}`),
  };
  return {
    name: 'ioredis',
    steps,
    blockOn: async (list) => (await blocking.duplicate().blpop(list, 0))?.[1] ?? '',
    push: (list, value) => main.rpush(list, value),
    subscribe: async (channel, onMessage) => {
      listening.on('message', (_channel, text: string) => onMessage(text));
      await listening.subscribe(channel);
    },
    publish: (channel, text) => main.publish(channel, text),
    close: () => {
      for (const each of [main, blocking, listening]) each.disconnect();
    },
  };
}

export async function nodeRedisUser(port: number, resp: 2 | 3): Promise<ClientUser> {
  const counted = defineScript({
    SCRIPT: script,
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key: string, value: string) {
      parser.pushKey(key);
      parser.push(value);
    },
    transformReply: (reply: unknown) => reply as unknown[],
  });
  const make = () =>
    createClient({
      RESP: resp,
      socket: { host: '127.0.0.1', port, reconnectStrategy: false },
      scripts: { counted },
    }).on('error', () => {});
  const [main, blocking, listening, waiting] = [make(), make(), make(), make()];
  await Promise.all([main, blocking, listening, waiting].map((each) => each.connect()));
  const p = `nr${resp}`;
  await main.functionLoad(library, { REPLACE: true });
  await main.xGroupCreate(`${p}:stream`, 'group', '$', { MKSTREAM: true });
  const steps = {
    pipeline: async (n: number) => {
      const key = `${p}:p:${n}`;
      const all = [main.set(key, n), main.get(key), main.incr(key), main.del(key), main.get(key)];
      const settled = await Promise.allSettled(all);
      for (const each of settled) if (each.status === 'rejected') throw each.reason;
      same(await Promise.all(all), ['OK', `${n}`, n + 1, 1, null]);
    },
    transaction: async (n: number) => {
      same(await main.multi().set(`${p}:t`, n).get(`${p}:t`).exec(), ['OK', `${n}`]);
    },
    'blocking pop': async (n: number) => {
      await main.rPush(`${p}:l:${n}`, `${n}`);
      same((await blocking.blPop(`${p}:l:${n}`, 1))?.element, `${n}`);
    },
    'consumer group': async (n: number) => {
      const id = await main.xAdd(`${p}:stream`, '*', { n: `${n}` });
      const read = await main.xReadGroup('group', 'me', { key: `${p}:stream`, id: '>' }, { BLOCK: 500 });
      const ids = (JSON.stringify(read).match(/\d{13}-\d+/g) ?? []) as string[];
      if (!ids.includes(id)) throw new Error(`entry ${id} was not read but ${ids.join()}`);
      same(await main.xAck(`${p}:stream`, 'group', ids), ids.length);
    },
    script: async (n: number) => same(await main.counted(`${p}:s:${n}`, `${n}`), [`${p}:s:${n}`, `${n}`, 1]),
    function: async (n: number) => same(await main.fCall('shout', { arguments: [`n${n}`] }), `N${n}`),
  };
  return {
    name: `node-redis with RESP${resp}`,
    steps,
    blockOn: async (list) => (await waiting.blPop(list, 0))?.element ?? '',
    push: (list, value) => main.rPush(list, value),
    subscribe: (channel, onMessage) => listening.subscribe(channel, onMessage),
    publish: (channel, text) => main.publish(channel, text),
    close: () => {
      for (const each of [main, blocking, listening, waiting]) each.destroy();
    },
  };
}
