import { type BodyMode, bodyMode } from './body/mode.ts';
import { convertBody } from './convert.ts';
import { quoteKey } from './errors.ts';
import { type } from './format.ts';
import { lacksModule, needsModule } from './module-types.ts';
import type { BodyWish } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';
import { isKnownTo, type Target } from './target.ts';
import type { RdbWriter } from './writer.ts';

/** Something that the target cannot load as it is. */
export interface Unloadable {
  what: 'key' | 'function' | 'module data';
  db?: number;
  key?: Buffer;
  reason: string;
  /** It was written all the same, without what the reason names. Else it is not in the file. */
  kept?: true;
}

/** `key 'a' of database 0: the reason` */
export function describeUnloadable({ what, db, key, reason }: Unloadable): string {
  return key === undefined ? `${what}: ${reason}` : `key ${quoteKey(key)} of database ${db}: ${reason}`;
}

export interface CopyOptions {
  /** Put before every key. */
  prefix?: Buffer;
  /** True: every value is looked into on the way. Else the frame and the checksum tell that a file is whole. */
  check?: boolean;
  onUnloadable: (unloadable: Unloadable) => void;
}

const noPrefix = Buffer.alloc(0);
export const withoutMetadata = 'without what modules keep of it';

/**
 * Copies entries from a scanner to a writer: as they are when the target knows them, else converted. A handler calls
 * `begin` in its `key`, and passes on `raw` and `end`.
 */
export class EntryCopier {
  private readonly writer: RdbWriter;
  private readonly target: Target;
  private readonly prefix: Buffer;
  private readonly onUnloadable: (unloadable: Unloadable) => void;
  private readonly asIs: BodyWish;
  private readonly bodyOnly: BodyWish;
  private readonly passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };
  private isLeftOut = false;
  private readonly collect: BodyWish = { mode: bodyMode.skip, raw: 'body' };
  private collected: Buffer[] | undefined;
  private db = 0;

  constructor(writer: RdbWriter, target: Target, options: CopyOptions) {
    const mode: BodyMode = options.check === true ? bodyMode.check : bodyMode.skip;
    this.writer = writer;
    this.target = target;
    this.prefix = options.prefix ?? noPrefix;
    this.onUnloadable = options.onUnloadable;
    this.asIs = { mode, raw: 'entry' };
    this.bodyOnly = { mode, raw: 'body' };
  }

  /** Whether the entry at hand is copied byte by byte, so that `copy` does for it. */
  copiesWhole(scanner: ScanState): boolean {
    return (
      this.prefix.length === 0 &&
      isKnownTo(this.target, scanner.type, scanner.flavor) &&
      scanner.type !== type.module2 &&
      !this.losesMarks(scanner)
    );
  }

  /** Copies an entry, or what there is of it: the rest then comes with `raw`. @param db the database it goes to. */
  copy(scanner: ScanState, db: number, buf: Buffer, from: number, to: number): void {
    this.collected = undefined;
    this.writer.source = scanner;
    this.writer.selectDb(db);
    this.writer.keys++;
    this.writer.bytes(buf, from, to);
  }

  /** Starts on the key at hand. @param db the database it goes to. */
  begin(scanner: ScanState, db: number): BodyWish {
    this.db = db;
    this.collected = undefined;
    this.isLeftOut = false;
    if (!isKnownTo(this.target, scanner.type, scanner.flavor)) {
      this.collected = [];
      return this.collect;
    }
    if (scanner.type === type.module2) {
      const reason = lacksModule(this.target, scanner.moduleType);
      this.isLeftOut = reason !== undefined;
      if (reason !== undefined) {
        this.tell(scanner, reason);
        return this.passOver;
      }
      if (needsModule(this.target, scanner.moduleType)) {
        this.tell(scanner, `needs a module with the type ${scanner.moduleType} there`, true);
      }
    }
    this.writer.source = scanner;
    this.writer.selectDb(db);
    this.writer.keys++;
    if (this.prefix.length === 0 && !this.losesMarks(scanner)) return this.asIs;
    this.writeHead(scanner, scanner.type);
    return this.bodyOnly;
  }

  raw(buf: Buffer, from: number, to: number): void {
    if (this.isLeftOut) return;
    if (this.collected === undefined) this.writer.bytes(buf, from, to);
    else this.collected.push(Buffer.from(buf.subarray(from, to)));
  }

  end(scanner: ScanState): void {
    if (this.collected === undefined) return;
    const body = Buffer.concat(this.collected);
    this.collected = undefined;
    const converted = convertBody(scanner.type, scanner.flavor, body, this.target);
    if ('reason' in converted) {
      this.tell(scanner, converted.reason);
      return;
    }
    if (converted.without !== undefined) this.tell(scanner, `without ${converted.without}`, true);
    this.writer.selectDb(this.db);
    this.writer.keys++;
    this.writeHead(scanner, converted.type);
    this.writer.bytes(converted.body, 0, converted.body.length);
    this.writer.settle();
  }

  settle(): void {
    this.writer.settle();
  }

  private tell(scanner: ScanState, reason: string, kept = false): void {
    const key = scanner.copyKey();
    this.onUnloadable({ what: 'key', db: scanner.db, key, reason, ...(kept ? { kept: true as const } : {}) });
  }

  /** What modules keep of a key is never taken over: nobody can be asked whether a server would take it. */
  private losesMarks(scanner: ScanState): boolean {
    return scanner.hasMetadata || this.losesUse(scanner);
  }

  private losesUse({ idle, freq }: ScanState): boolean {
    return this.target.version < 9 && (idle !== -1 || freq !== -1);
  }

  private writeHead(scanner: ScanState, typeByte: number): void {
    if (this.losesUse(scanner)) this.tell(scanner, 'without when, or how often, it was used', true);
    if (scanner.hasMetadata) this.tell(scanner, withoutMetadata, true);
    const { expireHigh, expireLow, idle, freq, keyBuf, keyStart, keyEnd } = scanner;
    const head = { expireHigh, expireLow, idle, freq, type: typeByte };
    if (this.prefix.length === 0) {
      this.writer.entryHead(head, keyBuf, keyStart, keyEnd);
      return;
    }
    const key = Buffer.concat([this.prefix, keyBuf.subarray(keyStart, keyEnd)]);
    this.writer.entryHead(head, key, 0, key.length);
  }
}

/** What a file made by holdfast says of itself; where a replica stood is not true of it any more. */
export function auxFor(
  target: Target,
  inputAux: Record<string, string>,
  nowMs: number,
): [name: string, value: string | number][] {
  const name = target.flavor === 'valkey' ? 'valkey-ver' : 'redis-ver';
  const version = inputAux['valkey-ver'] ?? inputAux['redis-ver'] ?? '0.0.0';
  return [
    [name, version],
    ['redis-bits', 64],
    ['ctime', Math.floor(nowMs / 1000)],
  ];
}
