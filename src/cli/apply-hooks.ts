/**
 * Executables beside the spec that `apply` runs on this machine: hooks/before-apply, which may refuse, and
 * hooks/after-apply, which hears how it ended. Both get the plan as JSON on standard input, and in the environment
 * HOLDFAST_NAME, HOLDFAST_SPEC and, afterwards, HOLDFAST_RESULT: applied or failed. What they say goes to stderr.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { defineError, errorText } from '../base/errors.ts';
import { whyNotOwnFolder } from '../base/private-file.ts';

const HookFailed = defineError('HOOK_FAILED', 1);

export interface HookFacts {
  name: string;
  specFile: string;
  plan: unknown;
  /** Hears which one runs: it may take long, or never end. */
  report(line: string): void;
}

/** Runs the work between the two hooks. @throws HOOK_FAILED, and what the work throws */
export async function betweenHooks(facts: HookFacts, work: () => Promise<void>): Promise<void> {
  await runHook('before-apply', facts, {}, 'Nothing was changed.');
  let result = 'failed';
  try {
    await work();
    result = 'applied';
  } finally {
    const after = runHook(
      'after-apply',
      facts,
      { HOLDFAST_RESULT: result },
      'The changes themselves were applied.',
    );
    // Of two failures the first says more.
    await (result === 'failed' ? after.catch(() => {}) : after);
  }
}

async function runHook(
  hook: string,
  { name, specFile, plan, report }: HookFacts,
  more: Record<string, string>,
  hint: string,
): Promise<void> {
  const folder = path.join(path.dirname(path.resolve(specFile)), 'hooks');
  const file = path.join(folder, hook);
  if (!existsSync(file)) return;
  const why = whyNotOwnFolder(folder) ?? whyNotExecutable(file);
  if (why !== undefined) throw HookFailed(`${file} is not run: ${why}`, { hint });
  report(`running hooks/${hook}`);
  const env = { ...process.env, HOLDFAST_NAME: name, HOLDFAST_SPEC: path.resolve(specFile), ...more };
  // A result on stdout is for whoever called apply.
  const child = spawn(file, [], { cwd: path.dirname(folder), env, stdio: ['pipe', 2, 2] });
  // It need not read the plan.
  child.stdin?.on('error', () => {});
  child.stdin?.end(`${JSON.stringify(plan)}\n`);
  const ended = new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(errorText(error)));
    // Not its close: what it leaves running may never read the plan.
    child.once('exit', (code, signal) =>
      resolve(code === 0 ? null : `it ended with ${signal ?? `status ${code}`}`),
    );
  });
  const failure = await ended;
  child.stdin?.destroy();
  if (failure !== null) throw HookFailed(`${file}: ${failure}`, { hint });
}

function whyNotExecutable(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK);
    return undefined;
  } catch {
    return 'it is not executable: chmod +x it, or take it away';
  }
}
