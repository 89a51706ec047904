import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ScratchServer } from '../backup/scratch-server.ts';
import type { Engine } from '../init/engine-defaults.ts';
import { SourceUnreadable } from '../init/errors.ts';
import { findProgram, serverVersion } from '../process/programs.ts';

/**
 * What settings are when nobody sets them, by the engine of this machine: it is started for a moment, on no port and
 * without data, and asked. Null when there is none. @throws INIT_SOURCE_UNREADABLE for a program that is none.
 */
export async function askEngine(wanted: string | undefined): Promise<Engine | null> {
  const names = wanted === undefined ? ['redis-server', 'valkey-server'] : [wanted];
  const program = names.map(findProgram).find((each) => each !== undefined);
  if (program === undefined && wanted === undefined) return null;
  const version = program === undefined ? undefined : await serverVersion(program).catch(() => undefined);
  if (program === undefined || version === undefined) {
    throw SourceUnreadable(`${wanted} is no redis-server or valkey-server that can be run`, {
      hint: 'Name the program with its path: --redis-server /usr/bin/redis-server.',
    });
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-init-'));
  const scratch = new ScratchServer({
    redisServer: program,
    workFolder: folder,
    databases: 16,
    loadModules: [],
    // One that says what is the default anyway: with any of its own, the scratch server adds no others.
    directives: ['daemonize no'],
  });
  try {
    await scratch.start();
    const defaults = await scratch.client.getConfig('*');
    return { name: `${path.basename(program)} ${version.version}`, defaults };
  } finally {
    await scratch.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
