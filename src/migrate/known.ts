/**
 * Which migrations into a deployment are known on its host: a list of their state directories beside the deployment's own
 * state, for its agent to show. A migration lives where whoever began it said; what is finished leaves nothing there.
 */
import path from 'node:path';
import { z } from 'zod';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import { migrationPaths, parseWith } from './plan.ts';

/** The newest ones; nobody has more at a time. */
const most = 20;
const schema = z.object({ version: z.literal(1), roots: z.array(z.string().min(1).max(4096)) });

/** Their state directories, newest first. @throws MIGRATION_UNREADABLE */
export async function knownMigrations(file: string): Promise<string[]> {
  const text = await readFileIfThere(file);
  return text === undefined ? [] : parseWith(schema, text, file).roots.slice(0, most);
}

/** Those that left nothing are forgotten with it. @throws MIGRATION_UNREADABLE, and what writing throws */
export async function noteMigration(file: string, root: string): Promise<void> {
  const own = path.resolve(root);
  const others = (await knownMigrations(file)).filter((each) => each !== own);
  const there = await Promise.all(
    others.map(async (each) => (await readFileIfThere(migrationPaths(each).plan)) !== undefined),
  );
  const roots = [own, ...others.filter((_, index) => there[index])].slice(0, most);
  await writeFileAtomic(file, `${JSON.stringify({ version: 1, roots })}\n`);
}
