/**
 * A cut-over that is taken back where the old side could not follow: what was written at the target meanwhile is not at the old
 * side, but stays mixed with what came from there, so that nothing may be applied behind the old position any more. That is noted
 * in the target, where the streams read it (stream/position.ts).
 */
import { randomBytes } from 'node:crypto';
import { errorText } from '../../base/errors.ts';
import { nowhere } from '../../stream/position.ts';
import { type TargetPlace, TargetWriter } from '../../stream/target-writer.ts';
import { CutOverNotNow } from '../errors.ts';
import { isFile, type Plan, streamId } from '../plan.ts';

/** Before anybody writes at the old side again. By scan everything is copied and compared again anyway. @throws CUT_OVER_NOT_NOW */
export async function noteMixed(plan: Plan, target: TargetPlace): Promise<void> {
  if (plan.method === 'scan') return;
  try {
    for (const [index, { url }] of plan.sources.entries())
      if (!isFile(url)) await noteAt(target, streamId(plan, index));
  } catch (cause) {
    throw CutOverNotNow(`what was written at the target can't be told from the rest: ${errorText(cause)}`, {
      hint: 'The target must take writes for this. Try again; where it is lost, holdfast migrate abort lets writers go on with what the old side has.',
      cause,
    });
  }
}

async function noteAt(target: TargetPlace, id: string): Promise<void> {
  const writer = await TargetWriter.open(target, id);
  try {
    await writer.apply(null, { phase: 'mixed', run: randomBytes(8).toString('hex'), ...nowhere });
  } finally {
    writer.close();
  }
}
