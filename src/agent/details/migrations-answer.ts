/** Migrations into the deployment that were begun on this host, as the API tells them: read from where each keeps its state. */
import type { ApiMigration, ApiMigrations } from '../../api/moves.ts';
import { errorText } from '../../base/errors.ts';
import { isAnswered } from '../../migrate/control.ts';
import { knownMigrations } from '../../migrate/known.ts';
import { type MigrationPaths, migrationPaths, type Plan, readPlan } from '../../migrate/plan.ts';
import { type Progress, readProgress } from '../../migrate/progress.ts';

const longest = 1000;
const mostSources = 50;

/** @param file that names their state directories */
export async function migrationsHere(file: string, host: string): Promise<ApiMigrations> {
  const missing: ApiMigrations['missing'] = [];
  const found = await knownMigrations(file).catch((error: unknown) => {
    missing.push({ host, why: cut(errorText(error)) });
    return [];
  });
  const read = await Promise.all(
    found.map((root) =>
      readMigration(migrationPaths(root), host).catch((error: unknown) => {
        missing.push({ host, why: cut(errorText(error)) });
        return null;
      }),
    ),
  );
  return { migrations: read.filter((each) => each !== null), missing };
}

/** Null for one that left nothing: it was finished or given up. */
async function readMigration(paths: MigrationPaths, host: string): Promise<ApiMigration | null> {
  const plan = await readPlan(paths).catch((error: { code?: string }) => {
    if (error.code === 'MIGRATION_NONE') return null;
    throw error;
  });
  if (plan === null) return null;
  const [progress, runs] = await Promise.all([readProgress(paths), isAnswered(paths.socket)]);
  return migrationFrom(plan, progress, { runs, host, folder: paths.root });
}

/** Pure. */
export function migrationFrom(
  plan: Plan,
  progress: Progress | null,
  { runs, host, folder }: Pick<ApiMigration, 'runs' | 'host' | 'folder'>,
): ApiMigration {
  const target = 'spec' in plan.target ? plan.target.spec : plan.target.url;
  return {
    ...{ id: plan.id, host, folder: cut(folder), target: cut(target), runs },
    startedAt: new Date(plan.createdMs).toISOString(),
    phase: progress?.phase ?? 'begun',
    updatedAt: progress === null ? null : new Date(progress.writtenMs).toISOString(),
    failure: progress?.failure == null ? null : cut(progress.failure.message),
    sources: (progress?.sources ?? []).slice(0, mostSources).map((source) => {
      const { phase, keys, bytes, totalBytes, secondsLeft, commands, lagBytes, lagSeconds, problem } = source;
      return {
        ...{ source: cut(source.source), at: cut(source.at), phase, keys, bytes, totalBytes },
        // What is not run reads nothing, whatever it read last.
        bytesPerSecond: runs ? source.bytesPerSecond : 0,
        ...{ secondsLeft, commands, lagBytes, lagMs: lagSeconds === null ? null : lagSeconds * 1000 },
        problem: problem === null ? null : cut(problem),
      };
    }),
  };
}

function cut(text: string): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
