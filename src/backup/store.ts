/**
 * Where backups lie: a folder or a bucket. An object appears under its name only when all of it has arrived; an
 * upload that fails or is abandoned leaves nothing behind. One suite of tests runs over every store.
 */
export interface BackupStore {
  /** As the spec has it: `file:///folder` or `s3://bucket/prefix`. */
  readonly url: string;
  /**
   * All objects whose name begins with `prefix`, in no particular order. What bears such a name and can't be read as
   * one is among them, with the reason: who looks for a backup must not take it for absent.
   */
  list(prefix: string): Promise<StoredObject[]>;
  /** The bytes of an object from `offset` on. @throws BACKUP_NOT_FOUND */
  read(name: string, offset?: number): AsyncIterable<Buffer>;
  /** Begins an object of unknown size. */
  upload(name: string, hints?: UploadHints): Promise<Upload>;
  /** Writes a small object in one piece. `ifAbsent`: returns false, and changes nothing, when there is one already. */
  put(name: string, bytes: Buffer, options?: { ifAbsent?: boolean }): Promise<boolean>;
  /** Removes an object; one that isn't there is no error. */
  remove(name: string): Promise<void>;
  /** Removes what uploads that began before then have left unfinished. @returns how many. */
  sweep(beforeMs: number): Promise<number>;
}

export interface UploadHints {
  /** About how many; twice as many must be possible. */
  expectedBytes?: number;
}

export interface StoredObject {
  name: string;
  bytes: number;
  /** When it was written, as the store says, in ms since 1970. */
  modifiedMs: number;
  /** What it is, when it is no object: `a symbolic link`. It is neither read nor removed. */
  unusable?: string;
}

export interface Upload {
  /** Takes the next bytes; waits when too many are under way. The buffer may be used again when it returns. */
  write(bytes: Buffer): Promise<void>;
  /** Returns when the object is whole and durable under its name. */
  commit(): Promise<void>;
  /** Leaves nothing behind, also while a write is under way. Does nothing after `commit`. */
  abandon(): Promise<void>;
}
