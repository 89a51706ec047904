/** Values of two servers side by side, without regard to how each of them stores them. */
import { createHash, randomBytes } from 'node:crypto';
import { bodyMode } from './body/mode.ts';
import { BodyWalker } from './body/walker.ts';
import { Cursor } from './cursor.ts';
import { ValueDigest } from './digest.ts';
import { rdbError } from './errors.ts';
import { Fault } from './fault.ts';
import { type Flavor, type Kind, type as rdbType, typeInfo } from './format.ts';
import { KeyHash } from './key-hash.ts';
import { dumpedValue } from './restore-payload.ts';
import { StringStream } from './string-stream.ts';
import { visitBody } from './value.ts';

/** The first version that is Valkey's own; what DUMP gives says its version and no more. */
const firstValkeyVersion = 80;

/** Sums of one of these can be compared with each other, and with no others: they start from a secret of their own. */
export class ValueSum {
  readonly #secret = randomBytes(16);
  readonly #digest = new ValueDigest(new KeyHash(this.#secret));

  /** Type and content as a text. @throws RDB_CORRUPT */
  of(typeByte: number, flavor: Flavor, body: Buffer): string {
    const kind = typeInfo(typeByte, flavor)?.kind;
    visitBody(typeByte, flavor, body, this.#digest);
    return `${kind} ${this.#digest.low} ${this.#digest.high}`;
  }

  /** Of a value whose body comes in pieces: it can be compared with others of these only. */
  begin(typeByte: number, flavor: Flavor): RunningSum {
    if (typeByte === rdbType.string) return this.beginText(true);
    return new ElementsSum(typeByte, flavor, new ValueDigest(new KeyHash(this.#secret)));
  }

  /** @param isBody whether its bytes are those of a body, or of the string itself */
  beginText(isBody: boolean): RunningSum {
    return new TextSum(isBody);
  }
}

/** The sum of a value whose bytes come one piece after the other. */
export interface RunningSum {
  /** The next bytes, which must stay as they are until the next come. @throws RDB_CORRUPT */
  add(bytes: Buffer): void;
  /** Type and content as a text. @throws RDB_TRUNCATED */
  end(): { kind: Kind | undefined; sum: string };
}

class TextSum implements RunningSum {
  readonly #hash = createHash('sha256');
  readonly #body: StringStream | undefined;

  constructor(isBody: boolean) {
    this.#body = isBody
      ? new StringStream(
          () => {},
          (bytes) => this.#hash.update(bytes),
        )
      : undefined;
  }

  add(bytes: Buffer): void {
    if (this.#body === undefined) this.#hash.update(bytes);
    else withFaults(() => this.#body?.add(bytes));
  }

  end(): { kind: Kind; sum: string } {
    withFaults(() => this.#body?.end());
    return { kind: 'string', sum: this.#hash.digest('hex') };
  }
}

class ElementsSum implements RunningSum {
  readonly #cursor = new Cursor();
  readonly #walker = new BodyWalker(this.#cursor);
  readonly #digest: ValueDigest;
  readonly #kind: Kind | undefined;
  #isWhole = false;

  constructor(typeByte: number, flavor: Flavor, digest: ValueDigest) {
    this.#digest = digest;
    this.#kind = typeInfo(typeByte, flavor)?.kind;
    withFaults(() => this.#walker.begin(typeByte, flavor, bodyMode.decode, digest));
  }

  add(bytes: Buffer): void {
    withFaults(() => {
      this.#cursor.append(bytes);
      this.#isWhole ||= this.#walker.step();
    });
  }

  end(): { kind: Kind | undefined; sum: string } {
    withFaults(() => {
      if (!this.#isWhole) throw new Fault('truncated', 'the value ends too early', this.#cursor.offset);
    });
    return { kind: this.#kind, sum: `${this.#digest.low} ${this.#digest.high}` };
  }
}

function withFaults(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw error instanceof Fault ? rdbError(error) : error;
  }
}

export interface DumpedValue {
  type: number;
  flavor: Flavor;
  body: Buffer;
  kind: Kind | undefined;
}

/** What DUMP gave, apart. @throws Fault */
export function readDump(payload: Buffer): DumpedValue {
  const version = payload.readUInt16LE(payload.length - 10);
  const flavor: Flavor = version >= firstValkeyVersion ? 'valkey' : 'redis';
  const { type, body } = dumpedValue(payload);
  return { type, flavor, body, kind: typeInfo(type, flavor)?.kind };
}
