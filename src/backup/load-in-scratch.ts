/** Has a scratch server load a backup, and when it does not, finds out what in it was the cause. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { errorCode } from '../base/errors.ts';
import { describeUnloadable } from '../rdb/copy.ts';
import { findDeadlyParts } from './deadly-values.ts';
import { ScratchLoadFailed } from './errors.ts';
import { LibraryCheck } from './library-check.ts';
import { refuseMissingModules } from './loader.ts';
import type { ScratchOptions, ScratchServer } from './scratch-server.ts';

/** A server that meets what it can't take ends in more than one way, or never answers. */
const didNotLoad = new Set(['SCRATCH_LOAD_FAILED', 'SCRATCH_SERVER_FAILED']);
const shown = 20;

/**
 * @param options for servers like that one, without data.
 * @throws SCRATCH_LOAD_FAILED when it is the backup's fault, with what is wrong in it where that is known;
 * SCRATCH_SERVER_FAILED and BACKUP_NEEDS_MODULE, which say nothing about the backup.
 */
export async function loadIn(scratch: ScratchServer, id: string, options: ScratchOptions): Promise<void> {
  // The server takes the file with it when it ends, but for who holds it open.
  const handle = await open(scratch.file);
  const read = () =>
    createReadStream('', { fd: handle.fd, autoClose: false, start: 0, highWaterMark: 512 * 1024 });
  try {
    await scratch.start();
  } catch (error) {
    if (!didNotLoad.has(errorCode(error) ?? '')) throw error;
    await refuseMissingModules(id, read(), options);
    const found = await whatEndsIt(read(), options);
    if (found.length === 0) throw error;
    throw ScratchLoadFailed(`${options.redisServer} could not load it: ${found.join('; ')}`, {
      cause: error,
    });
  } finally {
    await handle.close();
  }
}

async function whatEndsIt(source: AsyncIterable<Buffer>, options: ScratchOptions): Promise<string[]> {
  const found: string[] = [];
  const libraries = new LibraryCheck(options);
  try {
    await findDeadlyParts(source, libraries.ask, (each) => {
      if (found.length < shown) found.push(describeUnloadable(each));
    });
  } finally {
    await libraries.stop();
  }
  return found;
}
