import { bodyMode } from './body/mode.ts';
import { type Flavor, type Kind, type, typeInfo } from './format.ts';
import { bigintOf, isBelow } from './int64.ts';
import type { BodyWish, ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';

export interface Tally {
  keys: number;
  /** Bytes in the file, marks and keys included. */
  bytes: number;
}

export interface BigKey {
  db: number;
  key: Buffer;
  kind: Kind;
  encoding: string;
  bytes: number;
}

export interface InspectReport {
  flavor: Flavor;
  version: number;
  aux: Record<string, string>;
  keys: number;
  bytes: number;
  expiring: number;
  /** Expiry before now. */
  expired: number;
  firstExpiryMs: bigint | undefined;
  lastExpiryMs: bigint | undefined;
  databases: ({ db: number } & Tally)[];
  types: ({ type: Kind } & Tally)[];
  encodings: ({ type: Kind; encoding: string } & Tally)[];
  functions: number;
  moduleAux: number;
  biggest: BigKey[];
  checksum: 'matches' | 'absent';
}

const maxHigh = 0x7fffffff;
const skipWish: BodyWish = { mode: bodyMode.skip, raw: undefined };

/** Counts what is in a file, without looking into values. */
export class Inspector implements ScanHandler {
  keys = 0;
  private readonly nowMs: number;
  private readonly top: number;
  private readonly aux_: Record<string, string> = {};
  private readonly databases = new Map<number, Tally>();
  private readonly forms = new Map<number, { kind: Kind; encoding: string } & Tally>();
  private readonly biggest: BigKey[] = [];
  private expiring = 0;
  private expired = 0;
  private readonly firstExpiry = { high: maxHigh, low: -1 };
  private readonly lastExpiry = { high: -maxHigh - 1, low: 0 };
  private functions = 0;
  private modules = 0;
  private isAux = false;
  private form = 0;
  private start = 0;

  constructor(options: { nowMs: number; top: number }) {
    this.nowMs = options.nowMs;
    this.top = options.top;
  }

  aux(name: Buffer, value: Buffer): void {
    this.aux_[name.toString()] = value.toString();
  }

  functionLibrary(): void {
    this.functions++;
  }

  moduleAux(): BodyWish {
    this.modules++;
    this.isAux = true;
    return skipWish;
  }

  key(scanner: ScanState): BodyWish {
    this.isAux = false;
    this.keys++;
    this.start = scanner.entryOffset;
    this.form = scanner.type === type.string ? stringForm(scanner) : scanner.type;
    if (scanner.expireMs !== -1) this.addExpiry(scanner);
    return skipWish;
  }

  private addExpiry({ expireMs, expireHigh: high, expireLow: low }: ScanState): void {
    const { firstExpiry, lastExpiry } = this;
    this.expiring++;
    if (expireMs < this.nowMs) this.expired++;
    if (isBelow(high, low, firstExpiry.high, firstExpiry.low)) Object.assign(firstExpiry, { high, low });
    if (isBelow(lastExpiry.high, lastExpiry.low, high, low)) Object.assign(lastExpiry, { high, low });
  }

  end(scanner: ScanState): void {
    if (this.isAux) return;
    const bytes = scanner.offset - this.start;
    let database = this.databases.get(scanner.db);
    if (database === undefined) {
      database = { keys: 0, bytes: 0 };
      this.databases.set(scanner.db, database);
    }
    let form = this.forms.get(this.form);
    if (form === undefined) {
      form = { ...describeForm(this.form, scanner), keys: 0, bytes: 0 };
      this.forms.set(this.form, form);
    }
    database.keys++;
    database.bytes += bytes;
    form.keys++;
    form.bytes += bytes;
    if (this.biggest.length < this.top || bytes > (this.biggest.at(-1)?.bytes ?? Infinity)) {
      this.addBig({
        db: scanner.db,
        key: scanner.copyKey(),
        kind: form.kind,
        encoding: form.encoding,
        bytes,
      });
    }
  }

  report(scanner: ScanState): InspectReport {
    const { firstExpiry, lastExpiry } = this;
    const encodings = [...this.forms.values()]
      .map(({ kind, encoding, keys, bytes }) => ({ type: kind, encoding, keys, bytes }))
      .sort((one, other) => other.bytes - one.bytes);
    const types = new Map<Kind, { type: Kind } & Tally>();
    for (const { type: kind, keys, bytes } of encodings) {
      const tally = types.get(kind) ?? { type: kind, keys: 0, bytes: 0 };
      types.set(kind, { type: kind, keys: tally.keys + keys, bytes: tally.bytes + bytes });
    }
    return {
      ...scanner.header,
      aux: this.aux_,
      keys: this.keys,
      bytes: scanner.offset,
      expiring: this.expiring,
      expired: this.expired,
      firstExpiryMs: this.expiring > 0 ? bigintOf(firstExpiry.high, firstExpiry.low) : undefined,
      lastExpiryMs: this.expiring > 0 ? bigintOf(lastExpiry.high, lastExpiry.low) : undefined,
      databases: [...this.databases].map(([db, tally]) => ({ db, ...tally })).sort((a, b) => a.db - b.db),
      types: [...types.values()].sort((one, other) => other.bytes - one.bytes),
      encodings,
      functions: this.functions,
      moduleAux: this.modules,
      biggest: this.biggest,
      checksum: scanner.checksum === 'matches' ? 'matches' : 'absent',
    };
  }

  private addBig(big: BigKey): void {
    if (this.top === 0) return;
    let at = this.biggest.length;
    while (at > 0 && this.biggest[at - 1]!.bytes < big.bytes) at--;
    this.biggest.splice(at, 0, big);
    if (this.biggest.length > this.top) this.biggest.pop();
  }
}

/** Strings differ by how they are stored: 256 an integer, 257 compressed, else 0. */
function stringForm({ cursor }: ScanState): number {
  const lead = cursor.pos < cursor.end ? cursor.buf[cursor.pos]! : 0;
  return lead < 0xc0 ? 0 : lead === 0xc3 ? 257 : 256;
}

function describeForm(form: number, scanner: ScanState): { kind: Kind; encoding: string } {
  if (form >= 256) return { kind: 'string', encoding: form === 256 ? 'int' : 'compressed' };
  const { kind, encoding } = typeInfo(form, scanner.flavor)!;
  return { kind, encoding };
}
