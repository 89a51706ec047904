/** The servers that the tests of engines run on. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface TestEngine {
  /** `Redis 7.0.15` */
  name: string;
  binary: string;
}

const valkeyFolder = fileURLToPath(new URL('../../.setup/valkey', import.meta.url));

/** Those of HOLDFAST_TEST_ENGINES; without it the system's redis-server and the Valkey that scripts/valkey.mjs unpacked. */
export function testEngines(): TestEngine[] {
  const named = process.env['HOLDFAST_TEST_ENGINES'];
  const usual = ['redis-server', path.join(valkeyFolder, 'usr', 'bin', 'valkey-server')];
  const binaries = named ? named.split(',').map((each) => each.trim()) : usual;
  return binaries.flatMap((binary) => {
    if (!named && binary.includes('/') && !existsSync(binary)) return [];
    const version = execFileSync(binary, ['--version'], { encoding: 'utf8' });
    const [, product, number] = /(Redis|Valkey) server v=(\S+)/.exec(version) ?? [];
    return [{ name: `${product} ${number}`, binary }];
  });
}

/** Why there is no Valkey here; undefined when there is one, or others were named. */
export function whyNoValkey(): string | undefined {
  if (process.env['HOLDFAST_TEST_ENGINES'] || existsSync(path.join(valkeyFolder, 'usr/bin/valkey-server')))
    return undefined;
  const reason = path.join(valkeyFolder, 'why-not');
  return existsSync(reason) ? readFileSync(reason, 'utf8').trim() : 'scripts/valkey.mjs was not run';
}
