/** The one way in which an error goes over a socket, a pipe, or out of `--json`, and comes back as itself. */
import { defineError, type ExitStatus, errorCode, errorText, HoldfastError, isDiskFull } from './errors.ts';

export interface ErrorJson {
  code: string;
  exitStatus: ExitStatus;
  message: string;
  hint?: string;
}

const SystemRefused = defineError('SYSTEM_REFUSED', 1);

const bugHint = 'This is a bug in holdfast; HOLDFAST_DEBUG=1 prints where it happened.';
const longestText = 20_000;

const fullHint = 'Make room, or name a folder on another disk. TMPDIR says where temporary files go.';

/**
 * What was not made on purpose has the code INTERNAL; but a full disk is no bug, wherever it is met, and neither is what the
 * system says of a file that somebody named.
 */
export function errorToJson(error: unknown): ErrorJson {
  if (!(error instanceof HoldfastError)) {
    if (isDiskFull(error)) {
      return {
        code: 'DISK_FULL',
        exitStatus: 1,
        message: `a disk is full: ${errorText(error)}`,
        hint: fullHint,
      };
    }
    const call = systemCallOf(error);
    if (call !== undefined) {
      const hint = 'Look whether what it names is there, and whether this user may use it.';
      return errorToJson(SystemRefused(`the system refused ${call}: ${errorText(error)}`, { hint }));
    }
    return { code: 'INTERNAL', exitStatus: 1, message: errorText(error), hint: bugHint };
  }
  const { code, exitStatus, message, hint } = error;
  return { code, exitStatus, message, ...(hint === undefined ? {} : { hint }) };
}

/** The call that failed, of an error that Node made of what the system said; undefined for any other. */
function systemCallOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !/^E[A-Z0-9]+$/.test(errorCode(error) ?? '')) return undefined;
  const { syscall } = error as Error & { syscall?: unknown };
  return typeof syscall === 'string' ? syscall : undefined;
}

/** @param value what came in: another process's, perhaps of another version, so that each field is looked at. */
export function errorFromJson(value: unknown): HoldfastError {
  const { code, exitStatus, message, hint } = (
    typeof value === 'object' && value !== null ? value : { message: value }
  ) as Record<keyof ErrorJson, unknown>;
  const text = (what: unknown) => String(what).slice(0, longestText);
  return new HoldfastError(
    typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : 'INTERNAL',
    exitStatus === 2 || exitStatus === 3 ? exitStatus : 1,
    text(message ?? 'it said nothing'),
    typeof hint === 'string' ? { hint: text(hint) } : {},
  );
}
