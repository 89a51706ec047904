import { defineError } from '../base/errors.ts';

export const StoreFailed = defineError('BACKUP_STORE_FAILED', 1);
export const StoreDenied = defineError('BACKUP_STORE_DENIED', 1);
export const StoreFull = defineError('BACKUP_STORE_FULL', 1);
export const StoreUrlBad = defineError('BACKUP_STORE_URL_BAD', 2);
export const BackupNotFound = defineError('BACKUP_NOT_FOUND', 1);
export const BackupDamaged = defineError('BACKUP_DAMAGED', 1);
export const ManifestUnreadable = defineError('BACKUP_MANIFEST_UNREADABLE', 1);
export const BackupSourceFailed = defineError('BACKUP_SOURCE_FAILED', 1);
export const BackupNotWhole = defineError('BACKUP_NOT_WHOLE', 1);
export const BackupBusy = defineError('BACKUP_BUSY', 1);
export const BackupLockLost = defineError('BACKUP_LOCK_LOST', 1);
export const BackupCancelled = defineError('BACKUP_CANCELLED', 1);
export const BackupKeyNeeded = defineError('BACKUP_KEY_NEEDED', 2);
export const CompressorMissing = defineError('BACKUP_COMPRESSOR_MISSING', 1);
