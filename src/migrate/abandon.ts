/**
 * Gives up a migration that no process runs. Behind a cut-over the old side may be closed, and clients of gates are at the new
 * side: whoever runs it takes both back with nothing lost, which needs the new side. Where that is lost, the old side goes on
 * with what it has.
 */
import { errorText } from '../base/errors.ts';
import { RedisConnection } from '../redis/connection.ts';
import { describeSource, type SourceAddress } from '../stream/source-address.ts';
import type { TargetPlace } from '../stream/target-writer.ts';
import { ClosedUsers } from './back/closed-users.ts';
import { OldUsers } from './back/old-users.ts';
import { untilPauseEnds } from './cut-over.ts';
import { MigrationNotRunning } from './errors.ts';
import { forgetMigration } from './forget.ts';
import { FrontGates } from './front-gates.ts';
import type { MigrationPaths, Plan } from './plan.ts';
import { type Progress, readProgress } from './progress.ts';
import { unpause } from './unpause.ts';
import { type Stays, whatStays } from './what-stays.ts';

export interface Abandoned {
  /** Why the old side has not everything that was written at the new one; null when it has, or nothing was. */
  missing: string | null;
  /** What could not be taken away or back; null when all was. */
  left: string | null;
  /** What was copied and is at the target still. */
  stays: Stays;
}

const askMs = 5000;

/**
 * @param oldSide its servers, in the plan's order; files are none
 * @throws MIGRATION_NOT_RUNNING behind a cut-over whose new side answers; REDIS_UNREACHABLE, REDIS_REFUSED of the old side, which
 * is as it was then
 */
export async function abandonMigration(
  plan: Plan,
  paths: MigrationPaths,
  { target, oldSide }: { target: TargetPlace; oldSide: readonly SourceAddress[] },
): Promise<Abandoned> {
  const progress = await readProgress(paths);
  const stays = await whatStays(plan, paths, target);
  const closed = new ClosedUsers(paths.closed);
  const isBegun = progress?.change === 'abort';
  if (!isBegun && progress?.phase !== 'cut-over' && (await closed.saved()) === undefined) {
    const paused = (progress?.change ?? null) === null ? [] : oldSide;
    const late = (await Promise.all(paused.map(whyPaused))).flat();
    return {
      missing: null,
      left: inWords([...late, (await forgetMigration(plan, paths, target)) ?? []].flat()),
      stays,
    };
  }
  const lost = isBegun ? null : await whyLost(target);
  if (lost === null && !isBegun) {
    throw MigrationNotRunning('it was cut over, and no process runs it that could take the change back', {
      hint: 'holdfast migrate resume goes on with it; then holdfast migrate abort takes it back.',
    });
  }
  const shut: string[] = [];
  for (const each of oldSide) {
    // What is taken out of it is a write, too.
    await unpause(each);
    shut.push(...(await new OldUsers(each, closed).giveBack()));
  }
  const stayed = await new FrontGates(progress?.gates ?? []).move('predecessor');
  const gates = stayed.map((each) => `clients of a gate could not be taken back: ${each}`);
  const left = [...shut, ...gates, (await forgetMigration(plan, paths, target)) ?? []].flat();
  const why = isBegun ? 'whoever gave it up was ended' : `the new side is lost (${lost})`;
  return {
    // What was noted last when it was begun.
    missing: isBegun && progress.phase !== 'cut-over' ? null : `${why}: ${howFar(progress)}`,
    left: inWords(left),
    stays,
  };
}

/** @returns why its writers may wait until the pause ends by itself; none when they do not */
async function whyPaused(source: SourceAddress): Promise<string[]> {
  return await unpause(source).then(
    () => [],
    (error: unknown) => [untilPauseEnds(describeSource(source), error)],
  );
}

function inWords(left: readonly string[]): string | null {
  return left.length === 0 ? null : left.join('; ');
}

function howFar(progress: Progress | null): string {
  const behind = progress?.oldSide?.lagBytes ?? null;
  if (behind === null) return 'the old side has nothing of what was written there';
  return `when that was noted last, the old side was ${behind} bytes behind it`;
}

/** Null when it answers, whatever it says. */
async function whyLost(target: TargetPlace): Promise<string | null> {
  const connection = new RedisConnection({ ...target, timeoutMs: askMs });
  try {
    await connection.call('PING');
    return null;
  } catch (error) {
    return errorText(error);
  } finally {
    connection.close();
  }
}
