// The gate in one file, and the command line in few: who waits for them waits while they start, and Node takes longer to
// find and link some hundred modules than to run them. What tests load into them to break them (base/sabotage.js) stays a
// module of its own, so that both have one copy.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './setup.mjs';

const dist = path.join(root, 'dist');
/** Packages of which we need little, or that are made of many files. Others stay where they are. */
const taken = new Set(['commander', 'croner', 'picocolors', 'yaml', 'zod']);

export async function bundleAll() {
  await Promise.all([bundle('gate'), bundle('cli')]);
}

const keptApart = '../base/sabotage.js';

/** Overwrites `dist/NAME/main.js`; what it loads later lies in `dist/NAME-parts/`. */
async function bundle(name) {
  rmSync(path.join(dist, `${name}-parts`), { recursive: true, force: true });
  rmSync(path.join(dist, name, 'main.js.map'));
  const bundled = await rolldown({
    input: { main: path.join(dist, name, 'main.js') },
    platform: 'node',
    external: isPackageLeftAlone,
    plugins: [{ name: 'places', resolveId: findKeptApart, transform: keepPlace }],
  });
  await bundled.write({
    dir: dist,
    format: 'esm',
    entryFileNames: `${name}/main.js`,
    chunkFileNames: `${name}-parts/[name]-[hash].js`,
  });
  await bundled.close();
}

function isPackageLeftAlone(id) {
  return !id.startsWith('.') && !path.isAbsolute(id) && !taken.has(id.split('/')[0]);
}

function findKeptApart(id) {
  return id.endsWith('/base/sabotage.js') ? { id: keptApart, external: true } : null;
}

/** A module that looks for files beside itself finds them where it lay. All that is written lies one folder deep. */
function keepPlace(code, id) {
  if (!code.includes('import.meta.url') || !id.startsWith(dist)) return null;
  const place = path.relative(dist, id).split(path.sep).join('/');
  return code.replaceAll('import.meta.url', `new URL('../${place}', import.meta.url).href`);
}
