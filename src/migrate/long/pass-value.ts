/**
 * A value that comes, to a target, without holding it. Which way it goes is seen from its length and its first bytes:
 *
 * - as it is: the bytes of GET are the argument of a SET, those of DUMP of a RESTORE;
 * - stamped: the target is older and has the type all the same: the version and the sum behind it are put anew;
 * - in pieces: the target has it in another form, or it is longer than an argument may be. It is made under another name,
 *   element by element, and takes its place at the end, in one step; if that never comes, the other name expires;
 * - held: values of modules, and what is packed in one piece of memory, in another form.
 *
 * A command of which a part is missing is not executed, so that the connection may end at any moment.
 */
import { randomBytes } from 'node:crypto';
import { describeSize } from '../../base/size.ts';
import { Crc64 } from '../../rdb/crc64.ts';
import { isKnownTo, type Target } from '../../rdb/target.ts';
import type { ConnectionOptions } from '../../redis/connection.ts';
import type { Link } from '../../redis/link.ts';
import type { Reply } from '../../resp/read.ts';
import { writeRequest } from '../../resp/write.ts';
import { hasPieces } from '../../stream/long-value.ts';
import { carry } from '../carry.ts';
import { leftMs, restoreTtl } from '../expiry.ts';
import { answerWithinMs, linkForValues, pieces as requestPieces } from '../wire.ts';
import type { ComingValue } from './coming-value.ts';
import { firstRefusal, madeOfPieces } from './made-of-pieces.ts';
import { footerBytes, Head } from './value-head.ts';

export interface PassRules {
  source: Target;
  target: Target;
  /** Bytes of the longest argument that the target takes. */
  longest: number;
}

/** Bytes a ms that a target takes at least. */
const slowestPerMs = 500;
const end = Buffer.from('\r\n');

/**
 * @param db of the target. @param key as it is called there
 * @returns what the target answered; a text when the value can't be there.
 * @throws REDIS_UNREACHABLE of either side
 */
export async function passValue(
  to: ConnectionOptions,
  db: number,
  key: Buffer,
  value: ComingValue,
  rules: PassRules,
): Promise<Reply | { reason: string }> {
  const head = await Head.of(value);
  if (head === undefined) return { reason: 'what the source gave has no beginning' };
  const way = wayOf(value, head, rules);
  if (typeof way === 'object') return way;
  const link = linkForValues(to);
  try {
    if (db !== 0) await link.call(['SELECT', db]);
    if (way === 'in-pieces') {
      const name = Buffer.from(`holdfast:stream:{moving}:${randomBytes(8).toString('hex')}`);
      return await madeOfPieces(link, { key, name, db }, value.expiry, head, rules);
    }
    if (way === 'held') return await held(link, key, value, head, rules);
    return await passed(link, key, value, head, way === 'stamped' ? rules.target.version : undefined);
  } finally {
    link.close();
  }
}

type Way = 'as-is' | 'stamped' | 'in-pieces' | 'held';

function wayOf(
  value: ComingValue,
  { type }: Head,
  { source, target, longest }: PassRules,
): Way | { reason: string } {
  const tooLong = {
    reason: `it has ${describeSize(value.bytes)}, and the target takes ${describeSize(longest)} at most (proto-max-bulk-len)`,
  };
  const fits = value.bytes <= longest;
  if (value.as === 'text') return fits ? 'as-is' : tooLong;
  const isSame = source.flavor === target.flavor && source.version <= target.version;
  if (fits && isSame) return 'as-is';
  if (fits && isKnownTo(target, type, source.flavor)) return 'stamped';
  if (hasPieces(type)) return 'in-pieces';
  return fits ? 'held' : tooLong;
}

/** @param version put anew behind it; undefined leaves all as it is. */
async function passed(
  link: Link,
  key: Buffer,
  value: ComingValue,
  head: Head,
  version: number | undefined,
): Promise<Reply> {
  const { expiry } = value;
  const bytes = version === undefined ? value.bytes : value.bytes - head.before;
  // What is left is known when all of it has been sent: SET has that behind the value, RESTORE before it.
  const isApart = expiry !== null && value.as === 'payload';
  const before = value.as === 'text' ? ['SET', key] : ['RESTORE', key, '0'];
  const behind = () =>
    value.as === 'payload' ? ['REPLACE'] : expiry === null ? [] : ['PX', String(leftMs(expiry))];
  const timeoutMs = answerWithinMs + bytes / slowestPerMs;
  const { push, replies } = link.open(isApart ? 4 : 1, { timeoutMs });
  if (isApart) await push(writeRequest(['MULTI']));
  await push(beginning([...before, ...behind()].length + 1, before));
  await push(Buffer.from(`$${bytes}\r\n`));
  for await (const piece of version === undefined ? head.bytes() : stamped(head, version)) await push(piece);
  await push(Buffer.concat([end, beginning(0, behind())]));
  if (!isApart) return (await replies)[0] as Reply;
  await push(Buffer.concat([writeRequest(['PEXPIRE', key, String(leftMs(expiry))]), writeRequest(['EXEC'])]));
  const answers = await replies;
  return (firstRefusal(answers) as Reply | undefined) ?? 'OK';
}

/** The first of the arguments of a command. @param count 0: they are not its first. */
function beginning(count: number, args: readonly (string | Buffer)[]): Buffer {
  const all = writeRequest(args);
  const own = all.subarray(all.indexOf('\n') + 1);
  return count === 0 ? own : Buffer.concat([Buffer.from(`*${count}\r\n`), own]);
}

async function* stamped(head: Head, version: number): AsyncGenerator<Buffer> {
  const footer = Buffer.alloc(footerBytes);
  const crc = new Crc64();
  for await (const piece of head.body(head.before, footer)) {
    crc.update(piece);
    yield piece;
  }
  footer.writeUInt16LE(version, 0);
  crc.update(footer, 0, 2);
  crc.writeTo(footer, 2);
  yield footer;
}

async function held(
  link: Link,
  key: Buffer,
  value: ComingValue,
  head: Head,
  { source, target }: PassRules,
): Promise<Reply | { reason: string }> {
  const payload = Buffer.allocUnsafeSlow(value.bytes);
  let at = 0;
  for await (const piece of head.bytes()) at += piece.copy(payload, at);
  const carried = carry(payload, source, target);
  if ('reason' in carried) return carried;
  const request = requestPieces([['RESTORE', key, restoreTtl(value.expiry), carried.payload, 'REPLACE']]);
  return (await link.exchange(request, 1))[0] as Reply;
}
