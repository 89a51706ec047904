// The dashboard: one page with its script and its style, and each of them compressed beside it, so that the agent need
// not compress anything while it serves.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { root } from './setup.mjs';

/** Writes `dist/dashboard/`. */
export async function buildDashboard() {
  const outDir = path.join(root, 'dist', 'dashboard');
  await build({
    root: path.join(root, 'dashboard'),
    configFile: false,
    // Relative, so that a proxy may put the page under a folder.
    base: './',
    publicDir: false,
    logLevel: 'warn',
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      // Inlined files would need exceptions of the page's content security policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  });
  compressAll(outDir);
}

function compressAll(folder) {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(html|js|css|svg)$/.test(name)) continue;
    const file = path.join(folder, name);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: constants.Z_BEST_COMPRESSION }));
  }
}
