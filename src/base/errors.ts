/**
 * Every failure that holdfast reports on purpose is a `HoldfastError`: a stable `code` to look up in
 * docs/errors.md, a `message` that says what was found and where, and a `hint` that says what to do next.
 *
 * A folder defines its own errors with `defineError`, in a file of its own named `errors.ts`; a test keeps the
 * codes found in the source and those listed in docs/errors.md equal.
 */

/** 1: it failed; 2: the command or the spec is wrong; 3: it ran, and what it looked at is unhealthy. */
export type ExitStatus = 1 | 2 | 3;

export interface ErrorDetails {
  /** What the reader can do about it, as a sentence. */
  hint?: string;
  cause?: unknown;
}

export class HoldfastError extends Error {
  readonly code: string;
  readonly exitStatus: ExitStatus;
  readonly hint: string | undefined;

  constructor(code: string, exitStatus: ExitStatus, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'HoldfastError';
    this.code = code;
    this.exitStatus = exitStatus;
    this.hint = details.hint;
  }
}

/** Makes a constructor for one kind of error, so that its code and exit status are written in one place. */
export function defineError(
  code: string,
  exitStatus: ExitStatus,
): (message: string, details?: ErrorDetails) => HoldfastError {
  return (message, details) => new HoldfastError(code, exitStatus, message, details);
}

/** The text of anything that was thrown, for a message or a log line. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(errorText).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error (ENOENT, EADDRINUSE…), or of a HoldfastError; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Whether the system says that there is no room on a disk, or none left for this user. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '');
}
