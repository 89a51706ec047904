import type { KeyPattern } from '../base/key-pattern.ts';
import { bodyMode } from './body/mode.ts';
import { auxFor, EntryCopier, type Unloadable } from './copy.ts';
import { ExtrasCopier } from './extras.ts';
import { type Kind, typeInfo } from './format.ts';
import { KeyHash } from './key-hash.ts';
import type { BodyWish, ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';
import type { Target } from './target.ts';
import type { RdbWriter } from './writer.ts';

export interface KeyFilter {
  /** A key passes when any of them matches; all pass when there are none. */
  patterns?: KeyPattern[];
  kinds?: ReadonlySet<Kind>;
  dbs?: ReadonlySet<number>;
  /** Keys that expire before this instant are dropped. Milliseconds since 1970. */
  dropExpiredBefore?: number;
  /** The share of keys to keep, 0 to 1: always the same keys for the same share. */
  sample?: number;
}

const sampleSecret = Buffer.from('holdfast');

/** Makes one question of a filter. */
export function keyTest(filter: KeyFilter): (scanner: ScanState) => boolean {
  const { patterns, kinds, dbs, dropExpiredBefore, sample } = filter;
  const hash = new KeyHash(sampleSecret);
  const bound = sample === undefined ? 0 : Math.round(sample * 2 ** 32);
  return (scanner) => {
    const { keyBuf, keyStart, keyEnd } = scanner;
    if (dbs !== undefined && !dbs.has(scanner.db)) return false;
    if (dropExpiredBefore !== undefined && scanner.expireMs !== -1 && scanner.expireMs < dropExpiredBefore)
      return false;
    if (kinds !== undefined && !kinds.has(typeInfo(scanner.type, scanner.flavor)!.kind)) return false;
    if (patterns !== undefined && patterns.length > 0) {
      if (!patterns.some((pattern) => pattern.matches(keyBuf, keyStart, keyEnd))) return false;
    }
    if (sample !== undefined) {
      hash.update(scanner.db, keyBuf, keyStart, keyEnd);
      if (hash.a >>> 0 >= bound) return false;
    }
    return true;
  };
}

const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };

export interface FilterOptions {
  test: (scanner: ScanState) => boolean;
  target: Target;
  inputAux: Record<string, string>;
  nowMs: number;
  onUnloadable: (unloadable: Unloadable) => void;
}

/** A handler that writes what passes the test. The caller finishes the writer. */
export function filterInto(writer: RdbWriter, options: FilterOptions): ScanHandler {
  const { test, target, onUnloadable } = options;
  const copier = new EntryCopier(writer, target, { onUnloadable });
  const extras = new ExtrasCopier(writer, target, onUnloadable);
  let aux: Buffer[] | undefined;
  let copies = false;
  writer.begin(auxFor(target, options.inputAux, options.nowMs));
  return {
    functionLibrary: (code) => extras.functionLibrary(code),
    moduleAux: () => {
      aux = [];
      return { mode: bodyMode.skip, raw: 'entry' };
    },
    key: (scanner) => {
      aux = undefined;
      copies = test(scanner);
      return copies ? copier.begin(scanner, scanner.db) : passOver;
    },
    raw: (buf, from, to) => {
      if (aux === undefined) copier.raw(buf, from, to);
      else aux.push(Buffer.from(buf.subarray(from, to)));
    },
    end: (scanner) => {
      if (aux !== undefined) extras.moduleAux(Buffer.concat(aux), scanner.moduleType);
      else if (copies) copier.end(scanner);
    },
    settle: () => copier.settle(),
  };
}
