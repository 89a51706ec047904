/** What unit tests write to the temporary folder goes into one of the run's own, which is gone when the run ends. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

let folder: string | undefined;

/** Vitest calls it before it starts its workers, which are told of the folder by their environment. */
export function setup(): void {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-'));
  // As the temporary folder is: a test may become somebody else for a moment.
  chmodSync(folder, 0o711);
  process.env['TMPDIR'] = folder;
}

export function teardown(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
