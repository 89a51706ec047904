import { describeDuration } from '../base/duration.ts';
import { shown } from '../base/shown.ts';
import { describeSize } from '../base/size.ts';
import type { Unloadable } from '../rdb/copy.ts';
import { quoteKey } from '../rdb/errors.ts';
import type { Target } from '../rdb/target.ts';
import type { Output } from './output.ts';

/** Things that several RDB verbs say alike. */

export function describeRate(bytes: number, seconds: number): string {
  return `${describeDuration(seconds * 1000)}, ${describeSize(bytes / Math.max(seconds, 0.001))}/s`;
}

/**
 * A key in a report: its text. Bytes that are not UTF-8 are written as the lone surrogates U+DC80 to U+DCFF, which
 * JSON shows as \udc80 to \udcff, so that nothing is lost; `rdb json` does the same.
 */
export function keyAsJson(key: Buffer): string {
  const text = key.toString();
  if (Buffer.from(text).equals(key)) return text;
  let lossless = '';
  for (let at = 0; at < key.length; ) {
    const size = validBytes(key, at);
    lossless += size > 0 ? key.toString('utf8', at, at + size) : String.fromCharCode(0xdc00 + key[at]!);
    at += Math.max(size, 1);
  }
  return lossless;
}

/** The length of the UTF-8 character at `at`, or 0. */
function validBytes(bytes: Buffer, at: number): number {
  for (let size = 1; size <= 4 && at + size <= bytes.length; size++) {
    const character = bytes.subarray(at, at + size);
    if (Buffer.from(character.toString()).equals(character)) return size;
  }
  return 0;
}

/** `RDB version 10 (redis 7.0)`; a text stands for itself. */
export function describeTarget(target: Target | string): string {
  if (typeof target === 'string') return target;
  const { flavor, version, server } = target;
  const form = `${flavor === 'redis' ? 'RDB' : 'Valkey RDB'} version ${version}`;
  return server === undefined ? form : `${form} (${server.product} ${server.release.join('.')})`;
}

/** Without what was asked of the server: for data. */
export function targetAsJson({ flavor, version, server }: Target): object {
  const name = server === undefined ? {} : { server: `${server.product}-${server.release.join('.')}` };
  return { flavor, version, ...name };
}

const listed = 20;
const remembered = 1000;

/**
 * Collects what the target cannot load, and what is written without a part of it: all are counted, of the first the
 * first thousand kept, of the second some for each reason.
 */
export class UnloadableList {
  /** Left out. */
  count = 0;
  private readonly leftOut: Unloadable[] = [];
  private readonly inPart = new Map<string, { count: number; some: Unloadable[] }>();

  add = (unloadable: Unloadable): void => {
    if (unloadable.kept === true) {
      this.addInPart(unloadable);
      return;
    }
    this.count++;
    if (this.leftOut.length < remembered) this.leftOut.push(unloadable);
  };

  /** Exit status of a verb: what is left out unasked is for a person to look at. */
  status({ dropUnsupported }: { dropUnsupported?: boolean }): number {
    return this.count > 0 && dropUnsupported !== true ? 3 : 0;
  }

  /** Says which ones are missing from the result, and what is missing of others. */
  tell(output: Output, target: Target | string): void {
    const say = output.json ? () => {} : output.note;
    const { yellow } = output.colors;
    if (this.count > 0) {
      say(`${yellow('left out')}: ${this.count}, which ${describeTarget(target)} cannot hold:`);
      for (const each of this.leftOut.slice(0, listed)) say(`  ${describe(each)}`);
      if (this.count > listed) say(`  and ${this.count - listed} more; --json lists up to a thousand`);
    }
    for (const [reason, { count, some }] of this.inPart) {
      const names = some.slice(0, 3).map((each) => nameOf(each));
      const rest = count > names.length ? ` and ${count - names.length} more` : '';
      say(`${yellow('written')} ${reason}: ${names.join('; ')}${rest}`);
    }
  }

  asJson(): object[] {
    return this.leftOut.map(({ key, ...rest }) =>
      key === undefined ? rest : { ...rest, key: keyAsJson(key) },
    );
  }

  inPartAsJson(): object[] {
    return [...this.inPart].map(([reason, { count, some }]) => ({
      ...{ reason, count },
      some: some.map(({ what, db, key }) => (key === undefined ? { what } : { db, key: keyAsJson(key) })),
    }));
  }

  private addInPart(unloadable: Unloadable): void {
    const before = this.inPart.get(unloadable.reason) ?? { count: 0, some: [] };
    before.count++;
    if (before.some.length < listed) before.some.push(unloadable);
    // Reasons are few: they name what is missing, and not where.
    this.inPart.set(unloadable.reason, before);
  }
}

function nameOf({ what, db, key }: Unloadable): string {
  return key === undefined ? what : `database ${db}, key ${quoteKey(key)}`;
}

function describe(unloadable: Unloadable): string {
  // A reason may name what the file does: a library, a module.
  return `${nameOf(unloadable)}: ${shown(unloadable.reason)}`;
}
