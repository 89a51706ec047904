// `npm i -g .` calls this: a linked package has no dist/ until it is built.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ensureBuild, root } from './setup.mjs';

if (existsSync(path.join(root, 'node_modules', 'typescript'))) ensureBuild();
