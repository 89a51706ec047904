// The compiler leaves the command without its executable bit, and setup needs to know when the build was made.
import { chmodSync, existsSync } from 'node:fs';
import path from 'node:path';
import { markBuilt, root } from './setup.mjs';

const command = path.join(root, 'dist', 'cli', 'main.js');
if (existsSync(command)) chmodSync(command, 0o755);
markBuilt();
