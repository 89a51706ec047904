import { readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { describeDrift } from '../agent/settings/drift-watch.ts';
import { temporaryName, writeFileAtomic } from '../base/atomic-file.ts';
import { adoptAccepted } from '../spec/adopt.ts';
import { confirm } from './confirm.ts';
import type { Output } from './output.ts';
import { openTarget, type Target, type TargetOptions } from './target.ts';

/** Has the agent try a spec that is not written yet; it lies beside the other, since paths start from there. */
async function tryOut(text: string, { file, agent }: Target): Promise<void> {
  const candidate = temporaryName(file);
  try {
    await writeFile(candidate, text, { mode: 0o600, flag: 'wx' });
    await agent.run('apply', { file: candidate, dryRun: true }, () => {});
  } finally {
    await rm(candidate, { force: true });
  }
}

export interface AdoptAnswer {
  /** The member whose settings were taken over; null when none differs from the spec. */
  from: string | null;
  adopted: string[];
  left: string[];
  written: boolean;
}

/**
 * Takes what the primary runs with into the spec's file; without a primary on this host, what the first member does that
 * differs. @returns what was, or would be, written.
 */
export async function adoptDrift(
  output: Output,
  file: string,
  options: TargetOptions & { dryRun?: boolean; yes?: boolean },
): Promise<AdoptAnswer> {
  const target = await openTarget(file, options);
  const { drift, primary } = await target.agent.status();
  const from = drift.find(({ member }) => member === primary)?.member ?? drift[0]?.member ?? null;
  if (from === null) {
    output.line('There is no drift: members run with what the spec says.');
    return { from, adopted: [], left: [], written: false };
  }
  const found = drift.filter(({ member }) => member === from);
  for (const each of found) output.line(describeDrift(each));
  const path = await realpath(target.file);
  const { text, adopted, left } = adoptAccepted(await readFile(path, 'utf8'), found, target.file);
  for (const each of adopted) output.line(`into ${file}: ${each}`);
  for (const each of left) output.note(`${output.colors.yellow('left')} ${each}`);
  // A spec that no server starts with is not written.
  if (adopted.length > 0) await tryOut(text, target);
  const wanted = adopted.length > 0 && options.dryRun !== true;
  const written = wanted && (await confirm(output, `Write this into ${file}?`, options.yes === true));
  if (written) await writeFileAtomic(path, text, (await stat(path)).mode & 0o777);
  return { from, adopted, left, written };
}
