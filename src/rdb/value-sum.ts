/** Values of two servers side by side, without regard to how each of them stores them. */
import { randomBytes } from 'node:crypto';
import { ValueDigest } from './digest.ts';
import { type Flavor, type Kind, typeInfo } from './format.ts';
import { KeyHash } from './key-hash.ts';
import { dumpedValue } from './restore-payload.ts';
import { visitBody } from './value.ts';

/** The first version that is Valkey's own; what DUMP gives says its version and no more. */
const firstValkeyVersion = 80;

/** Sums of one of these can be compared with each other, and with no others: they start from a secret of their own. */
export class ValueSum {
  readonly #digest = new ValueDigest(new KeyHash(randomBytes(16)));

  /** Type and content as a text. @throws RDB_CORRUPT */
  of(typeByte: number, flavor: Flavor, body: Buffer): string {
    const kind = typeInfo(typeByte, flavor)?.kind;
    visitBody(typeByte, flavor, body, this.#digest);
    return `${kind} ${this.#digest.low} ${this.#digest.high}`;
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
