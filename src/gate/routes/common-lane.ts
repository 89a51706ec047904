import type { KeySpec } from '../../redis/key-places.ts';
import { findCr, readLength } from '../../resp/bytes.ts';
import type { RequestFrame } from '../../resp/request.ts';
import type { PrefixMap } from './prefix-map.ts';
import { home } from './way.ts';

/**
 * Where all keys are of a request whose keys are one range from the first argument on, without making objects of it;
 * -1: look closer.
 */
export function commonLane(
  map: PrefixMap,
  [spec, more]: readonly KeySpec[],
  buf: Buffer,
  frame: RequestFrame,
): number {
  if (spec === undefined || more !== undefined || !('index' in spec.begin) || spec.begin.index !== 1)
    return -1;
  const { find } = spec;
  if (!('last' in find) || find.limit > 1) return -1;
  const last = Math.min(frame.count - 1, find.last < 0 ? frame.count + find.last : 1 + find.last);
  let lane = -1;
  let pos = frame.nameEnd + 2;
  for (let at = 1; at <= last; at++) {
    const cr = findCr(buf, pos, buf.length);
    const length = readLength(buf, pos + 1, cr);
    if (cr < 0 || length === undefined) return -1;
    const start = cr + 2;
    if ((at - 1) % find.step === 0) {
      const found = map.find(buf, start, start + length)?.lane ?? home;
      if (lane >= 0 && found !== lane) return -1;
      lane = found;
    }
    pos = start + length + 2;
  }
  return lane;
}
