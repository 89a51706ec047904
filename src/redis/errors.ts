import { defineError } from '../base/errors.ts';

export const RedisRefused = defineError('REDIS_REFUSED', 1);
export const RedisUnreachable = defineError('REDIS_UNREACHABLE', 1);
export const SnapshotNotServed = defineError('SNAPSHOT_NOT_SERVED', 1);
export const ReplicationRefused = defineError('REPLICATION_REFUSED', 1);
export const ReplicationBroken = defineError('REPLICATION_BROKEN', 1);
export const TlsFileUnreadable = defineError('TLS_FILE_UNREADABLE', 1);
