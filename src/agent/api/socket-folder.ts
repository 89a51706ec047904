import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { makeFolder } from '../../base/make-folder.ts';
import { whyNotOwnFolder } from '../../base/private-file.ts';
import { StateDirUnusable } from '../errors.ts';

/**
 * Makes the folder that a Unix socket lies in. It may be under a directory that everyone can write, so it must be
 * this user's own: whoever made it first could otherwise listen in the agent's place.
 * @throws STATE_DIR_UNUSABLE
 */
export async function makeSocketFolder(socket: string): Promise<void> {
  const folder = path.dirname(socket);
  await makeFolder(folder, 0o700);
  const why = whyNotOwnFolder(folder);
  if (why === undefined) return;
  throw StateDirUnusable(`${folder}, where the sockets would lie, is not safe: ${why}`, {
    hint: 'Remove it, or name a state directory with a shorter path with --state-dir.',
  });
}

/**
 * Before a command talks to whatever listens there: the folder must belong to this user, to root, or to the owner of the
 * state directory. Another user may have made it where a short path under /tmp stands for a deep one.
 * @throws STATE_DIR_UNUSABLE
 */
export function checkSocketFolder(socket: string, stateDir: string): void {
  const folder = path.dirname(socket);
  // What isn't there, or can't be looked at, is told by the attempt to connect.
  if (folder === stateDir || !existsSync(folder)) return;
  const owners = existsSync(stateDir) ? [statSync(stateDir).uid] : [];
  const why = whyNotOwnFolder(folder, owners);
  if (why === undefined) return;
  throw StateDirUnusable(`${folder}, where the agent would listen, is not safe: ${why}`, {
    hint: 'Someone else may answer there in the agent’s place, so nothing was sent. Look who made it, and remove it.',
  });
}
