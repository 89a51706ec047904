/** What a value that comes amounts to, for comparing it with another one, without holding either. */
import type { Flavor, Kind } from '../../rdb/format.ts';
import type { ValueSum } from '../../rdb/value-sum.ts';
import type { Expiry } from '../expiry.ts';
import type { ComingValue } from './coming-value.ts';
import { footerBytes, Head } from './value-head.ts';

export interface ComingSum {
  kind: Kind | undefined;
  /** Equal for equal values of one kind. */
  sum: string;
  expiry: Expiry;
}

/** @param flavor of the server that gives it. @throws REDIS_UNREACHABLE, RDB_CORRUPT and its like */
export async function sumOfComing(value: ComingValue, flavor: Flavor, sums: ValueSum): Promise<ComingSum> {
  const head = await Head.of(value);
  if (value.as === 'text' || head === undefined) {
    const text = sums.beginText(false);
    if (head !== undefined) for await (const piece of head.bytes()) text.add(piece);
    return { ...text.end(), expiry: value.expiry };
  }
  const running = sums.begin(head.type, flavor);
  const footer = Buffer.alloc(footerBytes);
  // It looks back at what came before.
  for await (const piece of head.body(head.before + 1, footer)) running.add(Buffer.from(piece));
  return { ...running.end(), expiry: value.expiry };
}
