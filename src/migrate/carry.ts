/** What DUMP gave at the source, as the target can load it. Pure. */
import { convertBody } from '../rdb/convert.ts';
import { restorePayload } from '../rdb/restore-payload.ts';
import { isKnownTo, type Target } from '../rdb/target.ts';
import { readDump } from '../rdb/value-sum.ts';

export type Carried = { payload: Buffer } | { reason: string };

/** As it is where the target loads that version, else in an older form; a reason where there is none that is whole. */
export function carry(dump: Buffer, source: Target, target: Target): Carried {
  const isSame = source.flavor === target.flavor && source.version <= target.version;
  if (isSame) return { payload: dump };
  const { type, flavor, body } = readDump(dump);
  if (isKnownTo(target, type, flavor)) return { payload: restorePayload(type, body, target.version) };
  const converted = convertBody(type, flavor, body, target);
  if ('reason' in converted) return converted;
  if (converted.without !== undefined) return { reason: `it would be without ${converted.without}` };
  return { payload: restorePayload(converted.type, converted.body, target.version) };
}
