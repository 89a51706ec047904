import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import { errorText } from '../base/errors.ts';
import { FixFailed, NothingToUndo } from './errors.ts';

/**
 * What `doctor --fix` changes: files that make a setting last, and files of the kernel that make it hold now. Before the
 * first change, what was there is noted in a journal, from which `doctor --undo` restores it. Paths are those of the real
 * machine; `root` stands before all of them, which is how tests have a machine of their own.
 */
export interface Fix {
  files: FixedFile[];
}

export interface FixedFile {
  /** Absolute. */
  file: string;
  text: string;
  /** live: a setting of the running kernel; lasting: a file that is read at boot. */
  kind: 'live' | 'lasting';
}

export const journalFile = '/var/lib/holdfast/doctor-undo.json';

interface JournalEntry {
  file: string;
  kind: FixedFile['kind'];
  /** Null: there was no such file. */
  before: string | null;
}

/** A fix in words, a line a file. */
export function describeFix({ files }: Fix): string[] {
  return files.map(({ file, text, kind }) => {
    const lines = text.trimEnd().split('\n');
    const last = lines.filter((line) => !line.startsWith('#')).join('; ');
    return kind === 'live' ? `now:     ${file} = ${text.trim()}` : `lasting: ${file}: ${last}`;
  });
}

/**
 * Makes the changes. Several fixes may write one file: the last text wins.
 * @throws FIX_FAILED naming the file that couldn't be written; those before it stay changed and can be undone.
 */
export async function applyFixes(fixes: readonly Fix[], root: string): Promise<void> {
  const files = [...new Map(fixes.flatMap((fix) => fix.files).map((each) => [each.file, each])).values()];
  const journal = await readJournal(root);
  for (const { file, text, kind } of files) {
    const real = path.join(root, file);
    const known = journal.some((entry) => entry.file === file);
    if (!known) journal.push({ file, kind, before: (await readFileIfThere(real)) ?? null });
    // The journal first: a change that isn't in it couldn't be undone.
    await writeFileAtomic(path.join(root, journalFile), `${JSON.stringify(journal, null, 2)}\n`);
    try {
      await put(real, text, kind);
    } catch (error) {
      throw FixFailed(`can't write ${real}: ${errorText(error)}`, {
        hint: 'doctor --fix needs root, and a machine (not a container) whose kernel settings are its own.',
        cause: error,
      });
    }
  }
}

/** Puts everything back as it was before the first fix. @returns the files. @throws NOTHING_TO_UNDO, FIX_FAILED */
export async function undoFixes(root: string): Promise<string[]> {
  const journal = await readJournal(root);
  if (journal.length === 0) throw NothingToUndo('doctor --fix has changed nothing here');
  for (const { file, kind, before } of journal.toReversed()) {
    const real = path.join(root, file);
    try {
      if (before === null) await rm(real, { force: true });
      else await put(real, kind === 'live' ? selected(before) : before, kind);
    } catch (error) {
      throw FixFailed(`can't restore ${real}: ${errorText(error)}`, { cause: error });
    }
  }
  await rm(path.join(root, journalFile), { force: true });
  return journal.map(({ file }) => file);
}

/** The kernel shows a choice as `always [madvise] never`, and takes one word. */
function selected(text: string): string {
  return /\[(\w+)\]/.exec(text)?.[1] ?? text;
}

/** The kernel's files can't be replaced by renaming; others are written whole, and readable by all. */
async function put(file: string, text: string, kind: FixedFile['kind']): Promise<void> {
  if (kind === 'live') return writeFile(file, text);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFileAtomic(file, text, 0o644);
  return chmod(file, 0o644);
}

async function readJournal(root: string): Promise<JournalEntry[]> {
  const file = path.join(root, journalFile);
  if ((await readFileIfThere(file)) === undefined) return [];
  return JSON.parse(await readFile(file, 'utf8')) as JournalEntry[];
}
