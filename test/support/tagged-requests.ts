import { writeRequest } from '../../src/resp/write.ts';
import type { Random } from './random.ts';

/**
 * Random requests whose replies can be told apart: each carries a tag that its reply repeats, or answers with a value
 * that only it can have. Every client has keys of its own, so that what it may see is known, whatever others do.
 */
export interface Tagged {
  line: string;
  bytes: Buffer;
  /** One for each reply: what is wrong with it, or null. Replies as latin1, as they came. */
  checks: ((reply: string) => string | null)[];
}

const uncertain = /^-UNCERTAIN the connection to the primary was lost before it answered/;
/** What a read behind a long silence of its server is answered when that is lost. */
const silent = /^-UNCERTAIN the server was silent while it had this request/;

const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const array = (...items: string[]) => `*${items.length}\r\n${items.join('')}`;
const exactly = (wanted: string) => (reply: string) =>
  reply === wanted ? null : `wanted ${JSON.stringify(wanted)}`;
const matches = (pattern: RegExp) => (reply: string) => (pattern.test(reply) ? null : `wanted ${pattern}`);
/** A write whose connection broke may be answered with UNCERTAIN; nothing else may be different. */
const orUncertain = (check: (reply: string) => string | null) => (reply: string) =>
  uncertain.test(reply) ? null : check(reply);

export class TaggedRequests {
  readonly #random: Random;
  readonly #id: string;
  readonly #protocol: 2 | 3;
  #count = 0;
  #database = 0;
  #name = '';
  readonly #channels = new Set<string>();
  #clientId = '';
  #watching = false;

  readonly #stoodStill: () => boolean;

  /** @param stoodStill whether the way to the server was silent for long, so that the gate may say that */
  constructor(random: Random, id: number, protocol: 2 | 3, stoodStill: () => boolean) {
    this.#stoodStill = stoodStill;
    this.#random = random;
    this.#id = `c${id}`;
    this.#protocol = protocol;
  }

  /** The next few requests, which belong together. */
  next(): Tagged[] {
    if (this.#channels.size > 0 && this.#protocol === 2) return this.#whileSubscribed();
    const kinds = [
      () => [this.#plain()],
      () => [this.#plain()],
      () => [this.#plain(), this.#plain(), this.#plain()],
      () => this.#transaction(),
      () => this.#transaction(),
      () => this.#blocking(),
      () => this.#stream(),
      () => this.#connection(),
      () => this.#subscribe(),
      () => (this.#protocol === 3 && this.#channels.size > 0 ? this.#whileSubscribed() : [this.#plain()]),
    ];
    return this.#random.pick(kinds)();
  }

  /** The last request, which every client must still get its answer to. */
  last(): Tagged[] {
    const tag = this.#tag();
    const end = this.#channels.size > 0 ? [this.#unsubscribe([...this.#channels])] : [];
    return [...end, this.#make(['ECHO', tag], exactly(bulk(tag)))];
  }

  #tag(): string {
    return `${this.#id}-${++this.#count}`;
  }

  #key(kind: string): string {
    return `${this.#id}:${kind}:${this.#database}:${this.#random.below(3)}`;
  }

  #nil(): string {
    return this.#protocol === 3 ? '_\r\n' : '$-1\r\n';
  }

  #make(args: string[], ...checks: Tagged['checks']): Tagged {
    const line = args.map((arg) => (arg.length > 60 ? `${arg.slice(0, 60)}…` : arg)).join(' ');
    const orSilent = (check: (reply: string) => string | null) => (reply: string) =>
      silent.test(reply) && this.#stoodStill() ? null : check(reply);
    return { line, bytes: writeRequest(args), checks: checks.map(orSilent) };
  }

  /** The value of a key starts with the key and a bar, so a value of another key is seen. */
  #valueOf(key: string): (reply: string) => string | null {
    return (reply) =>
      reply === this.#nil() || reply.slice(reply.indexOf('\n') + 1).startsWith(`${key}|`)
        ? null
        : `wanted a value of ${key}`;
  }

  #plain(): Tagged {
    const { below } = { below: (n: number) => this.#random.below(n) };
    const key = this.#key('s');
    const tag = this.#tag();
    const kinds = [
      () => this.#make(['SET', key, `${key}|${tag}`], orUncertain(exactly('+OK\r\n'))),
      () => this.#make(['GET', key], this.#valueOf(key)),
      () => this.#make(['GET', key], this.#valueOf(key)),
      () => this.#make(['ECHO', tag], exactly(bulk(tag))),
      () => this.#make(['PING', tag], exactly(bulk(tag))),
      () => this.#make(['INCRBY', `n:${tag}`, `${this.#count}`], orUncertain(exactly(`:${this.#count}\r\n`))),
      () => this.#make(['APPEND', `a:${tag}`, 'x'.repeat(below(50))], orUncertain(matches(/^:\d+\r\n$/))),
      () => this.#make(['EVAL', 'return ARGV[1]', '0', tag], orUncertain(exactly(bulk(tag)))),
      () => this.#make(['SET', key, `${key}|${'v'.repeat(below(90_000))}`], orUncertain(exactly('+OK\r\n'))),
      () =>
        this.#make(
          ['NOSUCH', tag],
          orUncertain(matches(new RegExp(`^-ERR unknown command .*'${tag}' \r\n$`))),
        ),
      () => this.#make(['LPUSH', `w:${tag}`, tag], orUncertain(exactly(':1\r\n'))),
      () =>
        this.#make(
          ['PUBLISH', `ch:${this.#id}:${below(3)}`, `ch:${this.#id}|${tag}`],
          orUncertain(matches(/^:\d+\r\n$/)),
        ),
      () => this.#make(['SORT', `l:${tag}`, 'STORE', `m:${tag}`], orUncertain(exactly(':0\r\n'))),
    ];
    return this.#random.pick(kinds)();
  }

  /** MULTI to EXEC or DISCARD. A watch that did not survive a change of primary makes the EXEC answer nil. */
  #transaction(): Tagged[] {
    const list: Tagged[] = [];
    if (this.#random.once(3)) {
      list.push(this.#make(['WATCH', this.#key('w')], exactly('+OK\r\n')));
      this.#watching = true;
      if (this.#random.once(4)) list.push(this.#plain());
    }
    list.push(this.#make(['MULTI'], exactly('+OK\r\n')));
    const answers: string[] = [];
    let broken = false;
    for (let left = this.#random.below(5); left > 0; left--) {
      const tag = this.#tag();
      const queued = exactly('+QUEUED\r\n');
      const kind = this.#random.below(6);
      if (kind === 0) {
        list.push(this.#make(['SET', `t:${tag}`, tag], queued));
        answers.push('+OK\r\n');
      } else if (kind === 1) {
        list.push(this.#make(['INCRBY', `n:${tag}`, `${this.#count}`], queued));
        answers.push(`:${this.#count}\r\n`);
      } else if (kind === 2 && this.#random.once(4)) {
        // A request that can't be queued makes the EXEC fail, also when the primary changes in between.
        list.push(this.#make(['NOSUCH', tag], unknownOrTakenWith));
        broken = true;
      } else {
        list.push(this.#make(['ECHO', tag], queued));
        answers.push(bulk(tag));
      }
    }
    if (this.#random.once(5)) {
      list.push(this.#make(['DISCARD'], exactly('+OK\r\n')));
    } else {
      const nil = this.#protocol === 3 ? '_\r\n' : '*-1\r\n';
      const watched = this.#watching;
      const wanted = broken
        ? matches(/^-EXECABORT Transaction discarded because of previous errors/)
        : (reply: string) => (watched && reply === nil ? null : exactly(array(...answers))(reply));
      list.push(this.#make(['EXEC'], orUncertain(wanted)));
    }
    this.#watching = false;
    return list;
  }

  /** A list of its own: what comes out of it is what went in. */
  #blocking(): Tagged[] {
    const key = this.#key('l');
    const list: Tagged[] = [];
    if (this.#random.once(2)) {
      list.push(this.#make(['RPUSH', key, `${key}|${this.#tag()}`], orUncertain(matches(/^:\d+\r\n$/))));
    }
    const nil = this.#protocol === 3 ? '_\r\n' : '*-1\r\n';
    const head = `*2\r\n${bulk(key)}$`;
    const check = (reply: string) =>
      reply === nil || (reply.startsWith(head) && reply.includes(`\r\n${key}|`))
        ? null
        : `wanted one of ${key}`;
    list.push(this.#make(['BLPOP', key, '0.02'], orUncertain(check)));
    if (this.#random.once(3)) list.push(this.#make(['WAIT', '0', '5'], matches(/^:\d+\r\n$/)));
    return list;
  }

  #stream(): Tagged[] {
    const key = this.#key('x');
    const tag = this.#tag();
    const found = (reply: string) =>
      /^(\*-1|_)\r\n$/.test(reply) || reply.includes(bulk(`${key}|tag`)) ? null : `wanted entries of ${key}`;
    return [
      this.#make(
        ['XADD', key, 'MAXLEN', '5', '*', `${key}|tag`, tag],
        orUncertain(matches(/^\$\d+\r\n\d+-\d+\r\n$/)),
      ),
      this.#make(['XREAD', 'COUNT', '3', 'STREAMS', key, '0'], found),
      this.#make(['XREAD', 'BLOCK', '10', 'STREAMS', key, '$'], found),
    ];
  }

  /** What the connection is: its database, its name, its number. */
  #connection(): Tagged[] {
    const kind = this.#random.below(7);
    if (kind === 0) {
      this.#database = this.#random.below(3);
      return [this.#make(['SELECT', `${this.#database}`], exactly('+OK\r\n')), this.#plain()];
    }
    if (kind === 1) {
      // A database that is chosen inside of a transaction stays chosen.
      this.#database = this.#random.below(3);
      const key = this.#key('s');
      return [
        this.#make(['MULTI'], exactly('+OK\r\n')),
        this.#make(['SELECT', `${this.#database}`], exactly('+QUEUED\r\n')),
        this.#make(['EXEC'], exactly(array('+OK\r\n'))),
        this.#make(['GET', key], this.#valueOf(key)),
      ];
    }
    if (kind === 2) {
      this.#name = this.#tag();
      return [this.#make(['CLIENT', 'SETNAME', this.#name], exactly('+OK\r\n'))];
    }
    if (kind === 3) {
      const wanted = this.#name === '' ? this.#nil() : bulk(this.#name);
      return [this.#make(['CLIENT', 'GETNAME'], exactly(wanted))];
    }
    if (kind === 4) {
      const check = (reply: string) => {
        this.#clientId ||= reply;
        return reply === this.#clientId && /^:\d+\r\n$/.test(reply) ? null : `wanted ${this.#clientId}`;
      };
      return [this.#make(['CLIENT', 'ID'], check)];
    }
    if (kind === 5) {
      return [
        this.#make(['CLIENT', 'REPLY', 'SKIP']),
        this.#make(['ECHO', this.#tag()]),
        this.#make(['PING'], exactly('+PONG\r\n')),
      ];
    }
    return [
      this.#make(['WATCH', this.#key('w')], exactly('+OK\r\n')),
      this.#make(['UNWATCH'], exactly('+OK\r\n')),
    ];
  }

  #confirmation(verb: string, channel: string): (reply: string) => string | null {
    const head = `${this.#protocol === 3 ? '>' : '*'}3\r\n${bulk(verb)}${bulk(channel)}:`;
    return (reply) => (reply.startsWith(head) ? null : `wanted ${JSON.stringify(head)}`);
  }

  #subscribe(): Tagged[] {
    const names = [0, 1, 2].filter(() => this.#random.once(2)).map((index) => `ch:${this.#id}:${index}`);
    if (names.length === 0) return [this.#plain()];
    for (const name of names) this.#channels.add(name);
    return [
      this.#make(['SUBSCRIBE', ...names], ...names.map((name) => this.#confirmation('subscribe', name))),
    ];
  }

  #unsubscribe(names: string[]): Tagged {
    for (const name of names) this.#channels.delete(name);
    return this.#make(
      ['UNSUBSCRIBE', ...names],
      ...names.map((name) => this.#confirmation('unsubscribe', name)),
    );
  }

  #whileSubscribed(): Tagged[] {
    if (this.#random.once(2)) {
      const names = [...this.#channels].filter(() => this.#random.once(2));
      return names.length === 0 ? this.#subscribe0() : [this.#unsubscribe(names)];
    }
    return this.#subscribe0();
  }

  #subscribe0(): Tagged[] {
    const tag = this.#tag();
    const pong = this.#protocol === 3 ? bulk(tag) : array(bulk('pong'), bulk(tag));
    return [this.#make(['PING', tag], exactly(pong))];
  }
}

/** When EXEC is lost, whatever of its block was not answered yet is said to have been queued. */
function unknownOrTakenWith(reply: string): string | null {
  return /^(\+QUEUED|-ERR unknown command)/.test(reply) ? null : 'wanted an error, or QUEUED';
}
