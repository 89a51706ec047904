// The dashboard: one page with its script and its style.
import path from 'node:path';
import { build } from 'vite';
import { root } from './setup.mjs';

/** Writes `dist/dashboard/`. */
export async function buildDashboard() {
  await build({
    root: path.join(root, 'dashboard'),
    configFile: false,
    // Relative, so that a proxy may put the page under a folder.
    base: './',
    publicDir: false,
    logLevel: 'warn',
    build: {
      outDir: path.join(root, 'dist', 'dashboard'),
      emptyOutDir: true,
      target: 'es2022',
      // Inlined files would need exceptions of the page's content security policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: { checks: { pluginTimings: false } },
    },
  });
}
