import { lstat, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { StateDirUnusable } from '../errors.ts';

/**
 * Makes the folder that a Unix socket lies in. It may be under a directory that everyone can write, so it must be
 * this user's own: whoever made it first could otherwise listen in the agent's place.
 * @throws STATE_DIR_UNUSABLE
 */
export async function makeSocketFolder(socket: string): Promise<void> {
  const folder = path.dirname(socket);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  const isOurs = found.isDirectory() && found.uid === (process.getuid?.() ?? found.uid);
  if (isOurs && (found.mode & 0o022) === 0) return;
  throw StateDirUnusable(
    `${folder}, where the sockets would lie, belongs to someone else or others can write it`,
    {
      hint: 'Remove it, or name a state directory with a shorter path with --state-dir.',
    },
  );
}
