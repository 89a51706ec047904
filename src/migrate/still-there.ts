/**
 * Whether a target has still what it had acknowledged. Another server that took the place of its primary may lack the last of it: a
 * stream finds that when it goes on, a cut-over must ask, because its streams have ended.
 */
import type { Position } from '../stream/position.ts';
import { type TargetPlace, TargetWriter } from '../stream/target-writer.ts';

/** @param stored the offset that the target had said last; null when it had said none. Pure. */
export function isStillThere(position: Position | null, stored: number | null): boolean {
  if (stored === null) return true;
  return position?.phase === 'streaming' && position.offset >= stored;
}

/** @param id of the stream. @throws when it is not there, and as `TargetWriter.open` */
export async function refuseWhatIsGone(place: TargetPlace, id: string, stored: number | null): Promise<void> {
  const writer = await TargetWriter.open(place, id);
  try {
    if (isStillThere(writer.position, stored)) return;
  } finally {
    writer.close();
  }
  throw new Error('the target has another primary, which lacks what was applied last');
}
