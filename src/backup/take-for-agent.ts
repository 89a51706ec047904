import type { Clock } from '../base/clock.ts';
import { describeSize } from '../base/size.ts';
import { readTls } from '../redis/tls.ts';
import { loadSecrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import type { SourceWish } from './choose-source.ts';
import { findSource } from './find-source.ts';
import type { Manifest } from './manifest.ts';
import type { BackupStore } from './store.ts';
import { takeBackup } from './take.ts';
import type { BackupSource } from './verified-snapshot.ts';

export interface AgentTake {
  spec: Spec;
  secretFile: string;
  holder: string;
  wish: SourceWish;
  reason: Manifest['reason'];
  compression: Manifest['compression'];
  recipients: readonly string[];
}

export interface FoundSource {
  source: BackupSource;
  reason: string;
}

export interface TakeContext {
  store: BackupStore;
  clock: Clock;
  signal: AbortSignal;
  report: (step: string) => void;
}

const sayEveryMs = 5000;

/** @throws BACKUP_NO_SOURCE */
export async function sourceForAgent({ spec, secretFile, wish }: AgentTake): Promise<FoundSource> {
  const secrets = await loadSecrets(spec, secretFile);
  return findSource(spec, secrets, await readTls(spec.security.tls), wish);
}

/** Takes a backup and says how far it has come. @throws what `takeBackup` throws. */
export async function takeForAgent(
  { spec, holder, reason, compression, recipients }: AgentTake,
  found: FoundSource,
  { store, clock, signal, report }: TakeContext,
): Promise<Manifest> {
  report(`taking a backup from ${found.source.member}: ${found.reason}`);
  let saidMs = clock.monotonicMs();
  return takeBackup({
    ...{ deployment: spec.name, source: found.source, store, reason, compression, recipients, holder },
    ...{ signal, clock },
    report: ({ rdbBytes, keys }) => {
      if (clock.monotonicMs() - saidMs < sayEveryMs) return;
      saidMs = clock.monotonicMs();
      report(`${keys} keys, ${describeSize(rdbBytes)} so far`);
    },
  });
}
