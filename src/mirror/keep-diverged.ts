/**
 * `mirror.onSplit: serve`: a lead that is cut off, and replaced, goes on for who reaches it. When it comes back what it has is
 * kept in a file before it is emptied and follows, if there is anything in it that the one that leads has not, or has otherwise.
 * The rule is that the latter's stays; what else becomes of the file is a person's choice.
 */
import path from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { createAtomicFile } from '../base/atomic-stream.ts';
import { makeFolder } from '../base/make-folder.ts';
import { openSource } from '../migrate/open-source.ts';
import { verify } from '../migrate/verify/verify.ts';
import { quoteKey } from '../rdb/errors.ts';
import { openSnapshot } from '../redis/replication-stream.ts';
import type { Secrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { type ComparedMember, type ComparedPlace, comparedMember } from './compare-member.ts';

export interface Diverged {
  /** An RDB of all that the member had; beside it, with `.json`, which keys differ. */
  file: string;
  keys: number;
  first: string;
}

/** More are counted, and not listed. */
const mostListed = 10_000;

/**
 * @param folder for the files, of which each is readable by its owner only
 * @returns null when the member has nothing of its own. @throws REDIS_UNREACHABLE, REDIS_REFUSED, REPLICATION_BROKEN,
 * REPLICATION_REFUSED, and what the disk says: then nothing was emptied
 */
export async function keepDiverged(
  { spec, secrets, ids }: { spec: Spec; secrets: Secrets; ids: { member: string; lead: string } },
  folder: string,
  now: Date,
): Promise<Diverged | null> {
  const compared = await comparedMember(spec, secrets, ids);
  try {
    const found = await ownOf(compared);
    if (found.keys === 0) return null;
    await makeFolder(folder, 0o700);
    const file = path.join(folder, `${ids.member}-${now.toISOString().replaceAll(/:|\.\d+/g, '')}.rdb`);
    await saveSnapshot(compared.target, file);
    const said = { ...ids, at: now.toISOString(), rule: 'what the member that leads has stays', ...found };
    await writeFileAtomic(`${file}.json`, `${JSON.stringify(said, null, 1)}\n`);
    return { file, keys: found.keys, first: found.listed[0]?.key ?? '' };
  } finally {
    compared.close();
  }
}

/** What only the member has, or has otherwise. */
async function ownOf({ source: lead, target, scope }: ComparedMember) {
  const source = await openSource(lead);
  const listed: { db: number; key: string; how: string }[] = [];
  let keys = 0;
  try {
    await verify({
      ...{ source, target, repair: false, isCompared: scope.isCompared },
      signal: new AbortController().signal,
      onProgress: () => {},
      onDifference: ({ db, key, is, how }) => {
        if (is === 'missing') return;
        keys++;
        if (listed.length < mostListed) listed.push({ db, key: quoteKey(key), how });
      },
    });
    return { keys, listed };
  } finally {
    source.close();
  }
}

async function saveSnapshot(
  { endpoint: { host: address, port }, credentials, tls }: ComparedPlace,
  file: string,
): Promise<void> {
  const snapshot = await openSnapshot({ address, port, credentials, tls });
  const to = await createAtomicFile(file).catch((error: unknown) => {
    snapshot.close();
    throw error;
  });
  try {
    for await (const piece of snapshot.data) await to.write(piece);
    await to.commit();
  } finally {
    snapshot.close();
    await to.abandon();
  }
}
