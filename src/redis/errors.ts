import { defineError, HoldfastError } from '../base/errors.ts';
import { ReplyError } from '../resp/read.ts';

export const RedisRefused = defineError('REDIS_REFUSED', 1);
export const RedisUnreachable = defineError('REDIS_UNREACHABLE', 1);
export const ServerAddressUnclear = defineError('SERVER_ADDRESS_UNCLEAR', 2);
export const SnapshotNotServed = defineError('SNAPSHOT_NOT_SERVED', 1);
export const ReplicationRefused = defineError('REPLICATION_REFUSED', 1);
export const ReplicationBroken = defineError('REPLICATION_BROKEN', 1);
export const TlsFileUnreadable = defineError('TLS_FILE_UNREADABLE', 1);

/** The first word of the error reply behind a REDIS_REFUSED: `LOADING`, `BUSY`, `NOAUTH`; undefined for other errors. */
export function refusalKind(error: unknown): string | undefined {
  return refusalReply(error)?.kind;
}

/** Whether a server lets nobody in with this login, or without one. */
export function isLockedOut(error: unknown): boolean {
  return ['NOAUTH', 'WRONGPASS'].includes(refusalKind(error) ?? '');
}

/** The error reply behind a REDIS_REFUSED; undefined for other errors. */
export function refusalReply(error: unknown): ReplyError | undefined {
  const cause = error instanceof HoldfastError ? error.cause : undefined;
  return cause instanceof ReplyError ? cause : undefined;
}

/** Whether a Sentinel said that it watches no primary of the name that it was asked about (sentinel.c). */
export function knowsNoSuchPrimary(error: unknown): boolean {
  return refusalReply(error)?.text.includes('No such master with that name') ?? false;
}
