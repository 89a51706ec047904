import { setTimeout as delay } from 'node:timers/promises';
import { describeAhead, newestOf, startedMs } from '../backup/dates.ts';
import { surveyStore } from '../backup/list.ts';
import { openStore } from '../backup/open-store.ts';
import { errorText } from '../base/errors.ts';
import type { BackupFacts } from '../doctor/deployment/facts.ts';
import type { Spec } from '../spec/spec.ts';

/** A store that doesn't answer in this time is as good as away. */
const answerWithinMs = 20_000;

/** What the store of the spec holds, as seen from this host; null when the spec has none. Never throws. */
export async function lookIntoStore({ name, backup }: Spec): Promise<BackupFacts | null> {
  if (backup === null) return null;
  const late = new AbortController();
  const tooLate = delay(answerWithinMs, undefined, { signal: late.signal }).then(() => {
    throw new Error(`no answer within ${answerWithinMs / 1000} s`);
  });
  try {
    const store = await openStore(backup.to, backup.s3);
    const { backups, broken } = await Promise.race([surveyStore(store), tooLate]);
    const nowMs = Date.now();
    // Those of others in the same store say nothing of this one.
    const own = backups.filter(({ deployment }) => deployment === name);
    const { newest, ahead } = newestOf(own, nowMs);
    return {
      newestAtMs: newest === undefined ? null : startedMs(newest),
      ahead: ahead.map((backup) => describeAhead(backup, nowMs)),
      broken: broken.map(({ id, why }) => `${id}: ${why}`),
      error: '',
    };
  } catch (error) {
    return { newestAtMs: null, ahead: [], broken: [], error: errorText(error) };
  } finally {
    late.abort();
    tooLate.catch(() => {});
  }
}
