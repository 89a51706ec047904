import { bodyMode } from './body/mode.ts';
import { type FileHeader, type Flavor, type Kind, typeInfo } from './format.ts';
import { bigintOf } from './int64.ts';
import type { BodyWish, ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';
import { Scanner } from './scanner.ts';
import { decodeBody, type RdbValue } from './value.ts';

/** A key with its value, as the file has it. */
export class RdbEntry {
  readonly is = 'entry';
  readonly db: number;
  readonly key: Buffer;
  /** Milliseconds since 1970. */
  readonly expireMs: bigint | undefined;
  /** Seconds since the last use, when the server evicts by LRU. */
  readonly idle: number | undefined;
  /** The logarithmic counter, 0 to 255, when the server evicts by LFU. */
  readonly freq: number | undefined;
  /** The type byte, and who wrote it: together they say how to read the body. */
  readonly type: number;
  readonly flavor: Flavor;
  /** The value's bytes, as they stand in the file. */
  readonly body: Buffer;

  constructor(scanner: ScanState, key: Buffer, body: Buffer) {
    this.db = scanner.db;
    this.key = key;
    this.expireMs = scanner.expireMs === -1 ? undefined : bigintOf(scanner.expireHigh, scanner.expireLow);
    this.idle = scanner.idle === -1 ? undefined : scanner.idle;
    this.freq = scanner.freq === -1 ? undefined : scanner.freq;
    this.type = scanner.type;
    this.flavor = scanner.flavor;
    this.body = body;
  }

  get kind(): Kind {
    return typeInfo(this.type, this.flavor)!.kind;
  }

  get encoding(): string {
    return typeInfo(this.type, this.flavor)!.encoding;
  }

  /** Decodes the body, each time it is asked. @throws RDB_CORRUPT */
  value(): RdbValue {
    return decodeBody(this.type, this.flavor, this.body);
  }
}

export type RdbItem =
  | ({ is: 'header' } & FileHeader)
  | { is: 'aux'; name: string; value: Buffer }
  | { is: 'function'; code: Buffer }
  /** Data of a module outside the key space: the bytes from its opcode on, not looked into. */
  | { is: 'module-aux'; bytes: Buffer }
  | RdbEntry;

/** Everything in an RDB, one after the other. Use `readBatches` where speed matters. */
export async function* readItems(source: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<RdbItem> {
  for await (const batch of readBatches(source)) yield* batch;
}

/**
 * Everything in an RDB, as much at a time as one piece of the source holds. Each value's body is held whole.
 * @throws RDB_CORRUPT, RDB_TRUNCATED, RDB_UNSUPPORTED; what was read before has been yielded.
 */
export async function* readBatches(
  source: AsyncIterable<Buffer> | Iterable<Buffer>,
): AsyncGenerator<RdbItem[]> {
  let batch: RdbItem[] = [];
  const scanner = new Scanner(collector((item) => batch.push(item)));
  const take = () => {
    const taken = batch;
    batch = [];
    return taken;
  };
  for await (const chunk of source) {
    try {
      scanner.push(chunk);
    } catch (error) {
      if (batch.length > 0) yield take();
      throw error;
    }
    if (batch.length > 0) yield take();
  }
  scanner.finish();
}

function collector(add: (item: RdbItem) => void): ScanHandler {
  const wish: BodyWish = { mode: bodyMode.skip, raw: 'body' };
  const auxWish: BodyWish = { mode: bodyMode.skip, raw: 'entry' };
  let key: Buffer | undefined;
  let pieces: Buffer[] = [];
  return {
    header: (header) => add({ is: 'header', ...header }),
    aux: (name, value) => add({ is: 'aux', name: name.toString(), value: Buffer.from(value) }),
    functionLibrary: (code) => add({ is: 'function', code: Buffer.from(code) }),
    moduleAux: () => {
      key = undefined;
      return auxWish;
    },
    key: (scanner) => {
      key = scanner.copyKey();
      return wish;
    },
    raw: (buf, from, to) => {
      pieces.push(Buffer.from(buf.subarray(from, to)));
    },
    end: (scanner) => {
      const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
      pieces = [];
      add(key === undefined ? { is: 'module-aux', bytes } : new RdbEntry(scanner, key, bytes));
    },
  };
}
