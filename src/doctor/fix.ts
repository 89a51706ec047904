import { existsSync, statSync } from 'node:fs';
import { chmod, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import { errorText } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import { FixFailed, NothingToUndo } from './errors.ts';
import { type JournalEntry, readJournal, removeJournal, writeJournal } from './fix-journal.ts';
import { isFixable } from './host/fixable-files.ts';

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
  for (const each of files) {
    const real = path.join(root, each.file);
    if (!isFixable(each.file)) throw new TypeError(`${each.file} is not among the files that are fixed`);
    if (!journal.some(({ file }) => file === each.file)) journal.push(await entryOf(each, root));
    // The journal first: a change that isn't in it couldn't be undone.
    await writeJournal(root, journal);
    try {
      await put(real, each.text, each.kind);
    } catch (error) {
      throw FixFailed(`can't write ${real}: ${errorText(error)}`, {
        hint: 'doctor --fix needs root, and a machine (not a container) whose kernel settings are its own.',
        cause: error,
      });
    }
  }
}

async function entryOf({ file, kind }: FixedFile, root: string): Promise<JournalEntry> {
  const real = path.join(root, file);
  const before = (await readFileIfThere(real)) ?? null;
  const mode = before === null ? null : statSync(real).mode & 0o7777;
  const madeFolders: string[] = [];
  const writesFolders = kind === 'lasting';
  for (
    let folder = path.dirname(file);
    writesFolders && !existsSync(path.join(root, folder));
    folder = path.dirname(folder)
  ) {
    madeFolders.unshift(folder);
  }
  return { file, kind, before, mode, madeFolders };
}

/** What `undoFixes` would do, a line a file; empty when nothing was fixed. @throws DOCTOR_JOURNAL_UNFIT */
export async function describeUndo(root: string): Promise<string[]> {
  const journal = await readJournal(root);
  return journal.toReversed().map(({ file, kind, before }) => {
    if (before === null) return `remove:  ${file}`;
    return kind === 'live' ? `now:     ${file} = ${selected(before).trim()}` : `restore: ${file}`;
  });
}

/**
 * Puts everything back as it was before the first fix: texts, modes, and what did not exist is gone, folders included.
 * @returns the files. @throws NOTHING_TO_UNDO, FIX_FAILED, DOCTOR_JOURNAL_UNFIT
 */
export async function undoFixes(root: string): Promise<string[]> {
  const journal = await readJournal(root);
  if (journal.length === 0) throw NothingToUndo('doctor --fix has changed nothing here');
  for (const entry of journal.toReversed()) {
    const real = path.join(root, entry.file);
    try {
      await restore(real, entry, root);
    } catch (error) {
      throw FixFailed(`can't restore ${real}: ${errorText(error)}`, { cause: error });
    }
  }
  await removeJournal(root);
  return journal.map(({ file }) => file);
}

async function restore(
  real: string,
  { kind, before, mode, madeFolders }: JournalEntry,
  root: string,
): Promise<void> {
  if (before !== null) {
    await put(real, kind === 'live' ? selected(before) : before, kind);
    if (kind === 'lasting' && mode !== null) await chmod(real, mode);
    return;
  }
  await rm(real, { force: true });
  for (const folder of madeFolders.toReversed()) {
    // Someone else may have put something there since.
    await rmdir(path.join(root, folder)).catch(() => {});
  }
}

/** The kernel shows a choice as `always [madvise] never`, and takes one word. */
function selected(text: string): string {
  return /\[(\w+)\]/.exec(text)?.[1] ?? text;
}

/** The kernel's files can't be replaced by renaming; others are written whole, and readable by all. */
async function put(file: string, text: string, kind: FixedFile['kind']): Promise<void> {
  if (kind === 'live') return writeFile(file, text);
  await makeFolder(path.dirname(file));
  await writeFileAtomic(file, text, 0o644);
  return chmod(file, 0o644);
}
