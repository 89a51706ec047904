/**
 * What makes a standalone member of `topology: mirror` follow the one that leads: a stream of all that it has and does,
 * into the member, exactly once. The one that leads lists us under the member's address, with what the member has: so WAIT
 * there, and INFO, are about what is applied.
 *
 * It works for as long as the member is to follow that one (stream/lead-position.ts), and ends when it is not any more.
 */

import { targetOfVersionText } from '../rdb/target.ts';
import type { Endpoint, TlsTexts } from '../redis/endpoint.ts';
import { parseInfo, productOf } from '../redis/info.ts';
import { Link } from '../redis/link.ts';
import { readTls } from '../redis/tls.ts';
import { ownUserName, type Secrets } from '../spec/secrets.ts';
import type { Member, Spec } from '../spec/spec.ts';
import { StreamSourceNotReady } from '../stream/errors.ts';
import {
  endedRun,
  leadStream,
  leadsItself,
  newRun,
  noRun,
  type OwnKeys,
  ownKeys,
  readRun,
  withoutLead,
} from '../stream/lead-position.ts';
import { Stream } from '../stream/stream.ts';
import { type TargetPlace, TargetWriter } from '../stream/target-writer.ts';
import { MemberFollowsNot } from './errors.ts';

export interface MemberSides {
  member: Member;
  /** Whom it follows. */
  lead: Member;
  target: TargetPlace;
  credentials: { username: string; password: string };
  tls: TlsTexts | undefined;
  /** Nobody votes on who leads: the one that does says so in its data. */
  saysSo: boolean;
}

/** Is waited for before a member is emptied that had data of its own, while it led or followed another one. */
export type BeforeEmptied = () => Promise<void>;

/** @param socket how the member is reached here. @throws TLS_FILE_UNREADABLE */
export async function memberSides(
  spec: Spec,
  { own }: Secrets,
  { member, lead, endpoint }: { member: string; lead: string; endpoint: Endpoint },
): Promise<MemberSides> {
  const placeOf = (id: string) => spec.members.find((each) => each.id === id) as Member;
  const credentials = { username: ownUserName('replication'), password: own.replication };
  const tls = await readTls(spec.security.tls);
  const target = { endpoint, credentials, tls };
  const saysSo = spec.sentinels.length === 0;
  return { member: placeOf(member), lead: placeOf(lead), target, credentials, tls, saysSo };
}

/** @throws REDIS_UNREACHABLE, REDIS_REFUSED when the member can't be asked */
export async function memberStream(sides: MemberSides, beforeEmptied: BeforeEmptied): Promise<Stream> {
  const { member, lead, target, credentials, tls } = sides;
  const { name, version } = productOf(await serverInfo(target));
  return new Stream({
    id: leadStream,
    source: {
      ...{ kind: 'server', address: lead.address, port: lead.port, credentials, tls },
      readsFor: { address: member.address, port: member.port },
    },
    ...{ target, loads: targetOfVersionText(`${name} ${version}`), rewriter: withoutLead },
    ...{ onConflict: 'last', copied: undefined, maxRate: 0 },
    naming: {
      begin: async (writer) => await beginRun(writer, sides, beforeEmptied),
      mayCopy: async () => await leadsNow(sides),
      ended: endedRun,
    },
  });
}

/**
 * A member is emptied for none but one that leads. Whoever somebody made a replica by hand may have only what it gets from this very
 * member; and one that was started again may have less than it had, until its agent has looked and tells it to lead on.
 * @throws STREAM_SOURCE_NOT_READY; REDIS_UNREACHABLE, REDIS_REFUSED
 */
async function leadsNow({ member, lead, credentials, tls, saysSo }: MemberSides): Promise<void> {
  const link = new Link({ endpoint: { host: lead.address, port: lead.port }, credentials, tls });
  try {
    const [own, text] = await link.callAll([['MGET', ...ownKeys], ['INFO']]);
    if (leadsItself(own as unknown as OwnKeys, parseInfo(String(text)), saysSo)) return;
  } finally {
    link.close();
  }
  throw StreamSourceNotReady(
    `${member.id} is not emptied for a copy of ${lead.id}, which does not say that it leads, or is the replica of another server`,
  );
}

async function serverInfo(target: TargetPlace): Promise<ReturnType<typeof parseInfo>> {
  const writer = await TargetWriter.open(target, leadStream);
  try {
    return parseInfo(String(await writer.link.call(['INFO', 'server'])));
  } finally {
    writer.close();
  }
}

/** @throws MIRROR_MEMBER_FOLLOWS_NOT */
async function beginRun(
  writer: TargetWriter,
  { member, lead }: MemberSides,
  beforeEmptied: BeforeEmptied,
): Promise<string> {
  const { position } = writer;
  const run = position === null ? undefined : readRun(position.run);
  if (run?.of.address !== lead.address || run.of.port !== lead.port) {
    const whom = run === undefined ? 'nobody' : `${run.of.address}:${run.of.port}`;
    throw MemberFollowsNot(`${member.id} is not to follow ${lead.id} any more: it follows ${whom}`, {
      hint: 'Nothing is to be done: its agent begins what is called for.',
    });
  }
  if (run.fenced)
    throw MemberFollowsNot(
      `${member.id} waits to be told whom to follow: in epoch ${run.epoch} another lead was voted for`,
      {
        hint: 'Nothing is to be done: its agent tells it.',
      },
    );
  // What a stream had begun to copy is the other one's.
  if (position?.phase === 'copying' && run.by === noRun) await beforeEmptied();
  const info = parseInfo(String(await writer.link.call(['INFO', 'server'])));
  return newRun(lead, info['run_id'] ?? noRun, run.epoch);
}
