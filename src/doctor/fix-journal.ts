/**
 * What was there before `doctor --fix` changed it. Root writes what the journal says, so the journal is root's: it lies
 * in a folder of its own that only root can write (the deployments' state may belong to the service's user), and names
 * no file but those that a fix may change.
 */
import { existsSync, lstatSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { errorText } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import { whyNotOwnFolder } from '../base/private-file.ts';
import { JournalUnfit } from './errors.ts';
import { isFixable } from './host/fixable-files.ts';

export const journalFolder = '/var/lib/holdfast-doctor';
const name = 'journal.json';

const entrySchema = z.strictObject({
  /** Absolute. */
  file: z.string().refine(isFixable, 'it is no file that doctor --fix changes'),
  kind: z.enum(['live', 'lasting']),
  /** Null: there was no such file. */
  before: z.string().max(1_000_000).nullable(),
  /** Permission bits of what was there. */
  mode: z.int().min(0).max(0o7777).nullable(),
  /** Folders that were made for it, the innermost last. */
  madeFolders: z.array(z.string()).max(16),
});
const journalSchema = z.array(entrySchema).max(100);

export type JournalEntry = z.infer<typeof entrySchema>;

/** @param root stands before all paths. @throws DOCTOR_JOURNAL_UNFIT */
export async function readJournal(root: string): Promise<JournalEntry[]> {
  const folder = path.join(root, journalFolder);
  const file = path.join(folder, name);
  if (!existsSync(file)) return [];
  const why = whyNotOwnFolder(folder) ?? whyNotOwnFile(file);
  if (why !== undefined) throw unfit(file, why);
  let entries: JournalEntry[];
  try {
    entries = journalSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    throw unfit(file, issue ? `${issue.path.join('.')}: ${issue.message}` : errorText(error));
  }
  const astray = entries.flatMap(({ file: of, madeFolders }) =>
    madeFolders.filter((each) => !of.startsWith(`${each}/`)),
  );
  if (astray[0] !== undefined)
    throw unfit(file, `the folder ${astray[0]} does not belong to the file beside it`);
  return entries;
}

export async function writeJournal(root: string, entries: readonly JournalEntry[]): Promise<void> {
  const folder = path.join(root, journalFolder);
  await makeFolder(folder, 0o700);
  const why = whyNotOwnFolder(folder);
  if (why !== undefined) throw unfit(folder, why);
  await writeFileAtomic(path.join(folder, name), `${JSON.stringify(entries, null, 2)}\n`);
}

export async function removeJournal(root: string): Promise<void> {
  await rm(path.join(root, journalFolder), { recursive: true, force: true });
}

function whyNotOwnFile(file: string): string | undefined {
  const found = lstatSync(file);
  if (!found.isFile()) return 'it is not a file';
  if ((found.mode & 0o022) !== 0) return 'others can write it';
  return found.uid === (process.getuid?.() ?? found.uid)
    ? undefined
    : `it belongs to another user (uid ${found.uid})`;
}

function unfit(file: string, why: string): Error {
  return JournalUnfit(`${file} is not restored from: ${why}`, {
    hint: 'Only root may write there. Look who did, then restore the settings by hand and remove it.',
  });
}
