import { bodyMode } from './body/mode.ts';
import { auxFor, EntryCopier, type Unloadable } from './copy.ts';
import { ExtrasCopier } from './extras.ts';
import type { ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';
import { keySlot } from './slot.ts';
import type { Target } from './target.ts';
import type { RdbWriter } from './writer.ts';

/** Tells the name of the part that a key belongs to. */
export type PartOf = (scanner: ScanState) => string;

export interface SlotRange {
  from: number;
  to: number;
}

export function partByDb(): PartOf {
  return (scanner) => `db${scanner.db}`;
}

/** Everything before the first separator; keys without one go together. */
export function partByPrefix(separator: string): PartOf {
  const mark = Buffer.from(separator);
  return ({ keyBuf, keyStart, keyEnd }) => {
    const at = keyBuf.subarray(keyStart, keyEnd).indexOf(mark);
    return at < 0 ? 'no-prefix' : `prefix-${keyBuf.toString('latin1', keyStart, keyStart + at)}`;
  };
}

/** Slots in no range go to the part `slots-other`. */
export function partBySlot(ranges: SlotRange[]): PartOf {
  const names: string[] = Array.from({ length: 16_384 }, () => 'slots-other');
  for (const { from, to } of ranges) names.fill(`slots-${from}-${to}`, from, to + 1);
  return ({ keyBuf, keyStart, keyEnd }) => names[keySlot(keyBuf, keyStart, keyEnd)]!;
}

/** As many parts as wanted, by slot, so that keys with the same {tag} stay together. */
export function partByCount(parts: number): PartOf {
  const names = Array.from({ length: parts }, (_, index) => `part${index + 1}`);
  return ({ keyBuf, keyStart, keyEnd }) => names[keySlot(keyBuf, keyStart, keyEnd) % parts]!;
}

export interface SplitOptions {
  partOf: PartOf;
  target: Target;
  inputAux: Record<string, string>;
  nowMs: number;
  /** Makes the writer of a part, when its first key has come. */
  open: (part: string) => RdbWriter;
  onUnloadable: (unloadable: Unloadable) => void;
}

interface Part {
  copier: EntryCopier;
  extras: ExtrasCopier;
}

/** A handler that writes each key to its part, and functions to all of them. The caller finishes the writers. */
export function splitInto(options: SplitOptions): ScanHandler {
  const { target, onUnloadable } = options;
  const parts = new Map<string, Part>();
  const libraries: Buffer[] = [];
  const moduleData: { bytes: Buffer; moduleType: string }[] = [];
  let aux: Buffer[] | undefined;
  let current: Part | undefined;

  const openPart = (name: string): Part => {
    const writer = options.open(name);
    writer.begin(auxFor(target, options.inputAux, options.nowMs));
    const part = {
      copier: new EntryCopier(writer, target, { onUnloadable }),
      extras: new ExtrasCopier(writer, target, onUnloadable),
    };
    for (const code of libraries) part.extras.functionLibrary(code);
    for (const { bytes, moduleType } of moduleData) part.extras.moduleAux(bytes, moduleType);
    parts.set(name, part);
    return part;
  };

  return {
    functionLibrary: (code) => {
      libraries.push(Buffer.from(code));
      for (const part of parts.values()) part.extras.functionLibrary(code);
    },
    moduleAux: () => {
      aux = [];
      return { mode: bodyMode.skip, raw: 'entry' };
    },
    key: (scanner) => {
      aux = undefined;
      const name = options.partOf(scanner);
      current = parts.get(name) ?? openPart(name);
      return current.copier.begin(scanner, scanner.db);
    },
    raw: (buf, from, to) => {
      if (aux === undefined) current?.copier.raw(buf, from, to);
      else aux.push(Buffer.from(buf.subarray(from, to)));
    },
    end: (scanner) => {
      if (aux === undefined) {
        current?.copier.end(scanner);
        return;
      }
      const bytes = Buffer.concat(aux);
      const { moduleType } = scanner;
      moduleData.push({ bytes, moduleType });
      for (const part of parts.values()) part.extras.moduleAux(bytes, moduleType);
    },
    settle: () => {
      for (const part of parts.values()) part.copier.settle();
    },
  };
}
