import type { Ability } from './abilities.ts';
import { bodyMode } from './body/mode.ts';
import type { ByteSink } from './byte-sink.ts';
import { cameWith } from './convert.ts';
import { type Unloadable, withoutMetadata } from './copy.ts';
import { type Kind, type, typeInfo } from './format.ts';
import { libraryName } from './function-library.ts';
import { lacksModule, needsModule } from './module-types.ts';
import { RespBatch } from './resp-batch.ts';
import { RespValue, whyTooLate } from './resp-value.ts';
import { restorePayload } from './restore-payload.ts';
import type { BodyWish, ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';
import { can, type Target } from './target.ts';
import { decodeBody, visitBody } from './value.ts';

export interface RespOptions {
  /** Delete each key before it is written. */
  replace: boolean;
  /** The server that will be given the commands: none that it lacks is written. Undefined: the newest. */
  target?: Target;
  test: (scanner: ScanState) => boolean;
  /** Hears what can't be made with commands that the server has. */
  onUnloadable: (unloadable: Unloadable) => void;
}

const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };
/** Every server that has values of modules takes a RESTORE of this version, and their form is the same since. */
const restoreVersion = 8;

/**
 * Writes the commands that make the same keys in a running server, for `redis-cli --pipe`. Values of modules, which
 * have no commands known here, go as RESTORE. What the server has no command for is left out, whole, and told.
 */
export class RespWriter implements ScanHandler {
  keys = 0;
  private readonly options: RespOptions;
  private readonly batch: RespBatch;
  private readonly value: RespValue;
  private readonly wish: BodyWish;
  private readonly bodyWish: BodyWish = { mode: bodyMode.skip, raw: 'body' };
  private db = -1;
  private kind: Kind = 'string';
  private pieces: Buffer[] | undefined;
  private isOpen = false;

  constructor(sink: ByteSink, options: RespOptions) {
    this.options = options;
    this.batch = new RespBatch(sink);
    this.value = new RespValue(this.batch, { can: (ability) => this.can(ability) });
    this.wish = { mode: bodyMode.decode, raw: undefined, visitor: this.value };
  }

  functionLibrary(code: Buffer): void {
    if (this.can('functions')) {
      this.batch.command('FUNCTION', 'LOAD', 'REPLACE', code);
      return;
    }
    const reason = `library ${libraryName(code)}: ${cameWith('functions', 'functions')}`;
    this.options.onUnloadable({ what: 'function', reason });
  }

  key(scanner: ScanState): BodyWish {
    this.isOpen = this.options.test(scanner) && this.canBeMade(scanner);
    this.pieces = undefined;
    if (!this.isOpen) return passOver;
    this.keys++;
    if (scanner.db !== this.db) {
      this.db = scanner.db;
      this.batch.command('SELECT', String(scanner.db));
    }
    this.kind = typeInfo(scanner.type, scanner.flavor)!.kind;
    const hasExpiry = this.kind === 'hash' && scanner.type >= type.hashMetadataPreGa;
    this.value.start(scanner, hasExpiry);
    // Whether a field expires later than the server allows is known only when all have been seen.
    if (this.kind === 'module' || (hasExpiry && this.options.target !== undefined)) {
      this.pieces = [];
      return this.bodyWish;
    }
    this.deleteFirst(scanner);
    return this.wish;
  }

  private deleteFirst(scanner: ScanState): void {
    if (this.options.replace && this.kind !== 'string') this.batch.command('DEL', scanner.copyKey());
  }

  private can(ability: Ability): boolean {
    const { target } = this.options;
    return target === undefined || can(target, ability);
  }

  /** What is known before the value has been read. */
  private canBeMade(scanner: ScanState): boolean {
    const { kind } = typeInfo(scanner.type, scanner.flavor)!;
    const { target } = this.options;
    let reason: string | undefined;
    if (kind === 'stream' && !this.can('streams')) reason = cameWith('streams', 'streams');
    if (kind === 'module' && !this.can('moduleValues'))
      reason = cameWith('values of modules', 'moduleValues');
    if (kind === 'module' && target !== undefined) reason ??= lacksModule(target, scanner.moduleType);
    if (reason === undefined && scanner.hasMetadata) this.tell(scanner, withoutMetadata, true);
    if (reason !== undefined) this.tell(scanner, reason);
    else if (kind === 'module' && target !== undefined && needsModule(target, scanner.moduleType)) {
      this.tell(scanner, `needs a module with the type ${scanner.moduleType} there`, true);
    }
    return reason === undefined;
  }

  private tell(scanner: ScanState, reason: string, kept = false): void {
    const key = scanner.copyKey();
    const unloadable: Unloadable = { what: 'key', db: scanner.db, key, reason };
    this.options.onUnloadable(kept ? { ...unloadable, kept } : unloadable);
  }

  raw(buf: Buffer, from: number, to: number): void {
    this.pieces?.push(Buffer.from(buf.subarray(from, to)));
  }

  end(scanner: ScanState): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    if (this.kind === 'stream') {
      for (const reason of this.value.without) this.tell(scanner, `without ${reason}`, true);
    }
    if (this.pieces !== undefined && !this.putWhole(scanner, Buffer.concat(this.pieces))) return;
    if (scanner.expireMs === -1) return;
    this.batch.integer('PEXPIREAT', scanner, scanner.expireHigh, scanner.expireLow);
  }

  /** A value that was held until its end. False when it can't be made there. */
  private putWhole(scanner: ScanState, body: Buffer): boolean {
    const { batch } = this;
    this.pieces = undefined;
    if (this.kind === 'module') {
      const replace = this.options.replace ? ['REPLACE'] : [];
      batch.command(
        'RESTORE',
        scanner.copyKey(),
        '0',
        restorePayload(scanner.type, body, restoreVersion),
        ...replace,
      );
      return true;
    }
    const value = decodeBody(scanner.type, scanner.flavor, body);
    const times = value.kind === 'hash' ? value.fields.flatMap(({ expireMs }) => expireMs ?? []) : [];
    const reason =
      times.length > 0 && !this.can('fieldExpiry')
        ? cameWith(`${times.length} of its fields expire, and that`, 'fieldExpiry')
        : times.map((at) => whyTooLate(at, this.options.target)).find((why) => why !== undefined);
    if (reason !== undefined) {
      this.keys--;
      this.tell(scanner, reason);
      return false;
    }
    this.deleteFirst(scanner);
    visitBody(scanner.type, scanner.flavor, body, this.value);
    return true;
  }
}
