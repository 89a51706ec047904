import type { Buffer } from 'node:buffer';
import { type KeyPlaces, keyPlacesOf } from '../../redis/key-places.ts';
import type { Reply } from '../../resp/read.ts';
import {
  createRequestFrame,
  frameRequest,
  type RequestFrame,
  redisRequestLimits,
} from '../../resp/request.ts';
import { type Behaviour, behaviourOf, listedNames } from './behaviour.ts';
import { wellKnown } from './well-known.ts';

/**
 * Which command is which, from the server's own COMMAND table, so that a command that is newer than this code is
 * still sent the right way. Until that table is there, the most used commands are known (well-known.ts), and every other
 * one counts as one that may write.
 *
 * What a command does to its connection is its `behaviour`: see behaviour.ts.
 */
export type CommandClass = (typeof classNames)[number];

const classNames = [
  'read',
  'write',
  'connection',
  'transaction',
  'blocking',
  'subscription',
  'standing',
  'clients',
  'administration',
  'refused',
] as const;

export interface Command {
  /** In small letters, with the subcommand after a bar: `client|setname`. */
  readonly name: string;
  /** Executing it twice, or not at all, changes nothing: it may be sent again when its answer was lost. */
  readonly read: boolean;
  /** It has the `fast` flag: however much there is, it can't keep a server from answering. */
  readonly fast: boolean;
  /** It has the `write` flag: a replica refuses it. */
  readonly write: boolean;
  /** It may wait at the server until something happens. */
  readonly blocking: boolean;
  readonly behaviour: Behaviour;
  /** It leaves no state on its connection, and has no subcommands: it goes where plain requests go. */
  readonly plain: boolean;
  /** As docs/gate.md has it. */
  readonly class: CommandClass;
  readonly subcommands: Map<string, Command> | null;
  /** Which of its arguments are keys; before the server's table is there, `unknown`. */
  readonly keys: KeyPlaces;
  calls: number;
}

/** Commands that have no `readonly` flag because they touch no keys, and change nothing. */
const harmless = new Set(
  (
    'ping echo time info command role lastsave config|get config|help client|list client|info client|id ' +
    'client|getname client|help acl|whoami acl|list acl|users acl|getuser acl|cat acl|help acl|log memory|usage ' +
    'memory|stats memory|doctor memory|help object|help slowlog|get slowlog|len slowlog|help latency|latest ' +
    'latency|history latency|doctor latency|graph latency|histogram latency|help pubsub|channels pubsub|numsub ' +
    'pubsub|numpat pubsub|shardchannels pubsub|shardnumsub pubsub|help script|exists script|help function|list ' +
    'function|dump function|stats function|help module|list module|help command|count command|docs command|info ' +
    'command|list command|getkeys command|getkeysandflags command|help lolwut asking readonly readwrite select ' +
    'auth hello reset quit multi discard watch unwatch subscribe psubscribe ssubscribe unsubscribe punsubscribe ' +
    'sunsubscribe monitor wait waitaof client|setname client|setinfo client|reply client|capa client|tracking ' +
    'client|caching client|no-evict client|no-touch client|getredir client|trackinginfo'
  ).split(' '),
);

export class CommandTable {
  #slots: (Command | undefined)[] = [];
  #hashes: number[] = [];
  #mask = 0;
  #byName = new Map<string, Command>();
  readonly unknown: Command = makeCommand('unknown', [], null);
  #last: Command = this.unknown;
  #loaded = false;

  constructor() {
    this.#install(
      withListed(
        wellKnown.map(([name, flag]) => makeCommand(name, flag === '' ? [] : [flag], null, 'unknown')),
      ),
    );
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  /** Takes the reply of COMMAND. */
  load(reply: Reply): void {
    if (!Array.isArray(reply) || reply.length === 0) return;
    const commands = reply.filter(Array.isArray).map((entry) => commandOf(entry));
    const before = this.counted().commands;
    this.#install(withListed(commands));
    // What was counted until now stays counted.
    for (const command of this.#each()) command.calls += before[command.name] ?? 0;
    this.#loaded = true;
  }

  get(name: string): Command | undefined {
    return this.#byName.get(name);
  }

  /** What was called, by command and by class. */
  counted(): { commands: Record<string, number>; classes: Record<CommandClass, number> } {
    const commands: Record<string, number> = {};
    const classes = Object.fromEntries(classNames.map((each) => [each, 0])) as Record<CommandClass, number>;
    for (const command of [...this.#each(), this.unknown]) {
      if (command.calls === 0) continue;
      commands[command.name] = command.calls;
      classes[command.class] += command.calls;
    }
    return { commands, classes };
  }

  *#each(): Generator<Command> {
    for (const command of this.#byName.values()) {
      yield command;
      if (command.subcommands !== null) yield* command.subcommands.values();
    }
  }

  /** The command whose name, in any case, stands in `buf[start, end)`; `unknown` when there is none. */
  find(buf: Uint8Array, start: number, end: number): Command {
    // Most requests are for the command that the one before was for.
    if (sameName(this.#last.name, buf, start, end)) return this.#last;
    let hash = end - start;
    for (let pos = start; pos < end; pos++) hash = (Math.imul(hash, 31) + ((buf[pos] as number) | 32)) | 0;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const command = this.#slots[slot];
      if (command === undefined) return this.unknown;
      if (this.#hashes[slot] === hash && sameName(command.name, buf, start, end)) {
        this.#last = command;
        return command;
      }
    }
  }

  /** The command, or its subcommand, of a framed request. */
  commandOf(buf: Buffer, { nameStart, nameEnd, argStart, argEnd }: RequestFrame): Command {
    const command = this.find(buf, nameStart, nameEnd);
    if (command.subcommands === null || argStart < 0) return command;
    const name = buf.toString('latin1', argStart, Math.min(argEnd, argStart + 32));
    return command.subcommands.get(name.toLowerCase()) ?? command;
  }

  /** The same of a whole request that stands alone. */
  commandIn(request: Buffer): Command {
    const frame = createRequestFrame();
    frameRequest(request, 0, request.length, frame, redisRequestLimits);
    return this.commandOf(request, frame);
  }

  #install(commands: Command[]): void {
    this.#last = this.unknown;
    this.#byName = new Map(commands.map((command) => [command.name, command]));
    let size = 512;
    while (size < commands.length * 4) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Array<Command | undefined>(size).fill(undefined);
    this.#hashes = new Array<number>(size).fill(0);
    for (const command of commands) {
      let hash = command.name.length;
      for (const char of command.name) hash = (Math.imul(hash, 31) + (char.charCodeAt(0) | 32)) | 0;
      let slot = hash & this.#mask;
      while (this.#slots[slot] !== undefined) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = command;
      this.#hashes[slot] = hash;
    }
  }
}

function sameName(name: string, buf: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let index = 0; index < name.length; index++) {
    const byte = buf[start + index] as number;
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if (lower !== name.charCodeAt(index)) return false;
  }
  return true;
}

/** An entry of COMMAND: name, arity, flags, first key, last key, step, categories, tips, key specs, subcommands. */
function commandOf(entry: Reply[]): Command {
  const name = String(entry[0]).toLowerCase();
  const children = Array.isArray(entry[9]) ? entry[9].filter(Array.isArray).map(commandOf) : [];
  const flags = Array.isArray(entry[2]) ? entry[2].map(String) : [];
  return makeCommand(
    name,
    flags,
    children.length === 0
      ? null
      : new Map(children.map((child) => [child.name.slice(child.name.indexOf('|') + 1), child])),
    keyPlacesOf(entry),
  );
}

function makeCommand(
  name: string,
  flags: string[],
  subcommands: Map<string, Command> | null,
  keys: KeyPlaces = 'none',
): Command {
  const behaviour = behaviourOf(name, flags);
  return {
    name,
    read: flags.includes('readonly') || harmless.has(name),
    fast: flags.includes('fast'),
    write: flags.includes('write'),
    blocking: flags.includes('blocking') || behaviour.kind === 'blocking',
    behaviour,
    plain: behaviour.kind === 'plain' && subcommands === null,
    class: classOf(name, flags),
    subcommands,
    keys,
    calls: 0,
  };
}

/** Adds what must be known whatever the table says: servers before 7.0 list no subcommands, and some no HELLO. */
function withListed(commands: Command[]): Command[] {
  const byName = new Map(commands.map((command) => [command.name, command]));
  for (const name of listedNames) {
    const [first = '', second] = name.split('|');
    const parent = byName.get(first) ?? makeCommand(first, [], null);
    const needed = second === undefined || parent.subcommands?.has(second);
    const subcommands = needed
      ? parent.subcommands
      : new Map([...(parent.subcommands ?? []), [second as string, makeCommand(name, [], null)]]);
    byName.set(first, { ...parent, subcommands, plain: parent.plain && subcommands === null });
  }
  return [...byName.values()];
}

const classes: [CommandClass, RegExp][] = [
  ['connection', /^(auth|hello|select|reset|quit)$/],
  ['transaction', /^(multi|exec|discard|watch|unwatch)$/],
  ['blocking', /^wait(aof)?$/],
  ['subscription', /^[ps]?(un)?subscribe$/],
  ['standing', /^(monitor|client\|(tracking|trackinginfo|caching|getredir|no-evict|no-touch))$/],
  ['clients', /^client(\||$)/],
  ['refused', /^(p?sync|debug)$/],
];

function classOf(name: string, flags: string[]): CommandClass {
  const special = classes.find(([, names]) => names.test(name));
  if (special !== undefined) return special[0];
  if (flags.includes('blocking')) return 'blocking';
  if (flags.includes('admin')) return 'administration';
  return flags.includes('readonly') || harmless.has(name) ? 'read' : 'write';
}
