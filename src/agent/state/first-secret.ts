/** The deployment's own secret: who starts, takes over or renders for the first time makes it, and nobody makes it anew. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { makeSecret } from '../../spec/secrets.ts';
import type { Spec } from '../../spec/spec.ts';
import { StateDirUnusable } from '../errors.ts';
import type { StatePaths } from './paths.ts';

/**
 * What was configured by an earlier secret has its passwords: with another one an agent is locked out of everything that runs.
 * @returns whether it was made now.
 * @throws STATE_DIR_UNUSABLE when it is gone and the directory has been used; SECRET_UNAVAILABLE is for whoever reads it.
 */
export async function makeFirstSecret(
  { name, security, hosts }: Spec,
  { root, secret }: Pick<StatePaths, 'root' | 'secret'>,
): Promise<boolean> {
  if (security.secret !== null || existsSync(secret)) return false;
  const configured = configuredIn(root);
  if (configured === null) {
    await makeSecret(secret);
    return true;
  }
  const elsewhere = hosts.length > 1 ? ' or from another host, which has the same' : '';
  const anew = `head -c 32 /dev/urandom | sha256sum | cut -c 1-64 > ${secret}`;
  const everywhere = hosts.length > 1 ? ' All hosts must be down for that, and get the same file.' : '';
  throw StateDirUnusable(
    `the secret of ${name} is gone: ${secret} is not there, and ${configured} has passwords that follow from it`,
    {
      hint: `Put it back, from a copy${elsewhere}; or name it under security.secret, if it stood there. Nothing was started, and what runs goes on. Without it: holdfast down stops what runs, (umask 077; ${anew}) makes another secret, and holdfast up starts with the data that is there.${everywhere} Tokens and passwords that were handed out are others then.`,
    },
  );
}

/** A process that was configured here; null when none was. */
function configuredIn(root: string): string | null {
  for (const kind of ['members', 'sentinels', 'gates']) {
    const folder = path.join(root, kind);
    const id = existsSync(folder)
      ? readdirSync(folder).find((each) => isConfigured(path.join(folder, each)))
      : null;
    if (id) return path.join(folder, id);
  }
  return null;
}

function isConfigured(folder: string): boolean {
  return ['redis.conf', 'sentinel.conf', 'gate.json'].some((name) => existsSync(path.join(folder, name)));
}
