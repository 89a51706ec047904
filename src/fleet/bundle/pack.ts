/** Packs a self-contained holdfast into one file, once for all hosts that need it. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { makeFolder } from '../../base/make-folder.ts';
import { BundleFailed } from '../errors.ts';
import { makeScratch, removeScratch } from '../scratch-folder.ts';
import { type Contents, leftOut } from './contents.ts';

/** Finds Node.js and the rest beside itself, wherever links lead to it. */
const launcher = `#!/bin/sh
here=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$here/node" "$here/dist/cli/main.js" "$@"
`;

export interface Packed {
  file: string;
  sha256: string;
  remove(): void;
}

/** @throws BUNDLE_FAILED */
export async function packBundle({ root, folders }: Contents): Promise<Packed> {
  const folder = makeScratch('bundle');
  const remove = () => removeScratch(folder);
  try {
    const stage = path.join(folder, 'stage');
    await makeFolder(path.join(stage, 'bin'), 0o755);
    await writeFile(path.join(stage, 'bin', 'holdfast'), launcher);
    await chmod(path.join(stage, 'bin', 'holdfast'), 0o755);
    await symlink(process.execPath, path.join(stage, 'node'));
    const without = leftOut.map((each) => `--exclude=${each}`);
    const file = path.join(folder, 'holdfast.tar.gz');
    const args = [
      '-c',
      '-h',
      ...without,
      '-f',
      '-',
      '-C',
      stage,
      'bin',
      'node',
      '-C',
      root,
      'package.json',
      ...folders,
    ];
    await tarInto(args, file);
    const hash = createHash('sha256');
    for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
    return { file, sha256: hash.digest('hex'), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

async function tarInto(args: readonly string[], file: string): Promise<void> {
  const tar = spawn('tar', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  tar.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-1000);
  });
  const ended = new Promise<number | null>((resolve, reject) =>
    tar.once('error', reject).once('close', resolve),
  );
  // Most of it is Node.js, which has to be small enough for a slow line and quick enough for a fast one.
  const packed = pipeline(tar.stdout, createGzip({ level: 1 }), createWriteStream(file, { mode: 0o600 }));
  const [status] = await Promise.all([ended, packed]);
  if (status !== 0) throw BundleFailed(`packing holdfast for the hosts failed: ${said.trim()}`);
}
