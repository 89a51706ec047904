// The compiler leaves the command without its executable bit, and setup needs to know when the build was made.
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { bundleAll } from './bundle.mjs';
import { buildDashboard } from './dashboard.mjs';
import { markBuilt, root } from './setup.mjs';

await bundleAll();
await buildDashboard();
chmodSync(path.join(root, 'dist', 'cli', 'main.js'), 0o755);
markBuilt();
