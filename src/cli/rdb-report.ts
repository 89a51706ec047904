import { describeDuration } from '../base/duration.ts';
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

export function describeTarget(target: Target): string {
  return `${target.flavor === 'redis' ? 'RDB' : 'Valkey RDB'} version ${target.version}`;
}

const listed = 20;

/** Collects what the target cannot load: all are counted, the first thousand kept. */
export class UnloadableList {
  count = 0;
  private readonly kept: Unloadable[] = [];

  add = (unloadable: Unloadable): void => {
    this.count++;
    if (this.kept.length < 1000) this.kept.push(unloadable);
  };

  /** Says which ones are missing from the result. */
  tell(output: Output, target: Target): void {
    if (this.count === 0) return;
    const say = output.json ? () => {} : output.note;
    say(`${output.colors.yellow('left out')}: ${this.count}, which ${describeTarget(target)} cannot hold:`);
    for (const { what, db, key, reason } of this.kept.slice(0, listed)) {
      say(key === undefined ? `  ${what}: ${reason}` : `  database ${db}, key ${quoteKey(key)}: ${reason}`);
    }
    if (this.count > listed) say(`  and ${this.count - listed} more; --json lists up to a thousand`);
  }

  asJson(): object[] {
    return this.kept.map(({ key, ...rest }) => (key === undefined ? rest : { ...rest, key: keyAsJson(key) }));
  }
}
