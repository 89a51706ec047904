// The compiler leaves the command without its executable bit, and setup needs to know when the build was made.
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { bundleAll } from './bundle.mjs';
import { markBuilt, root } from './setup.mjs';

await bundleAll();
chmodSync(path.join(root, 'dist', 'cli', 'main.js'), 0o755);
markBuilt();
