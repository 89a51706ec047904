/** What `holdfast backup list --json` prints, as the API tells it. */
import { z } from 'zod';
import type { ApiBackups } from '../../api/findings.ts';
import type { Backup } from '../../spec/spec.ts';

const printedSchema = z.array(
  z.object({
    id: z.string(),
    startedAt: z.string(),
    durationMs: z.number(),
    keys: z.number(),
    rdb: z.object({ bytes: z.number() }),
    stored: z.object({ bytes: z.number() }),
    source: z.object({ member: z.string() }),
    reason: z.enum(['manual', 'schedule', 'before-restore']),
    serverVersion: z.string(),
    compression: z.enum(['none', 'gzip', 'zstd']),
    encryption: z.enum(['none', 'age']),
    verified: z.object({ at: z.string(), good: z.boolean(), problems: z.array(z.string()) }).nullable(),
  }),
);

/** @param said what it said beside: a line for each backup that can't be used. @throws Error when it is something else */
export function backupsIn(printed: unknown, said: readonly string[], backup: Backup): ApiBackups {
  const listed = printedSchema
    .parse(printed)
    .map(({ rdb, stored, source, encryption, verified, ...rest }) => ({
      ...rest,
      rdbBytes: rdb.bytes,
      storedBytes: stored.bytes,
      source: source.member,
      encrypted: encryption !== 'none',
      verified:
        verified === null ? null : { at: verified.at, good: verified.good, problems: verified.problems },
    }));
  return {
    store: backup.to,
    schedule: `${backup.schedule} ${backup.timezone}`,
    backups: listed.toReversed(),
    broken: said.flatMap((line) => {
      const [, id, why] = /^broken: (\S+): (.*)$/.exec(line) ?? [];
      return id === undefined || why === undefined ? [] : [{ id, why }];
    }),
  };
}
