/** The plans of what is done with the store of backups. Pure. */
import type { ApiBackups } from '../../api/findings.ts';
import type { ApiOperation } from '../../api/jobs.ts';
import type { ApiView } from '../../api/view.ts';
import { type Draft, keysIn, type Refusal, underWay } from './plan-draft.ts';

/** What is known of the store of backups. */
export interface KnownStore {
  /** What lies there, as GET /api/backups tells it; null when it was not looked at. */
  holds: Pick<ApiBackups, 'backups' | 'broken'> | null;
  /** Why it could not be looked at. */
  unread?: string;
}

/** Why a backup can't be taken from the store; undefined when it can, as far as is known. */
function whyNotThere(id: string, { holds }: KnownStore): Refusal | undefined {
  if (holds === null || holds.backups.some((each) => each.id === id)) return undefined;
  const broken = holds.broken.find((each) => each.id === id);
  if (broken !== undefined)
    return { why: `${id} can't be used: ${broken.why}`, hint: 'Name another backup.' };
  const newest = holds.backups[0]?.id;
  return {
    why: `there is no backup ${id}`,
    hint: newest === undefined ? 'There is none in the store.' : `The newest in the store is ${newest}.`,
  };
}

const noStore = {
  why: 'the spec names no store of backups',
  hint: 'Set backup.to in the spec, and apply it.',
};

export function backups(view: ApiView, operation: ApiOperation, store: KnownStore | null): Draft {
  const unread =
    store?.unread === undefined ? [] : [`The store of backups could not be read: ${store.unread}`];
  if (operation.kind === 'verify') {
    const will = [
      `${operation.backup} is loaded into a scratch server here, and compared with its manifest. Nothing else is changed.`,
    ];
    return {
      refusal: store === null ? noStore : whyNotThere(operation.backup, store),
      will,
      warnings: unread,
    };
  }
  if (operation.kind !== 'restore') {
    return {
      refusal: store === null ? noStore : undefined,
      will: ['A replica sends its data; it is verified while it is stored.'],
    };
  }
  const keys = keysIn(view);
  const held = keys === 1 ? '1 key' : `${keys} keys`;
  const full = {
    why: `the deployment holds ${held}, which would be replaced`,
    hint: 'If that is meant, say replace: a backup of what is there is taken first.',
  };
  const safe = operation.safetyBackup !== false;
  return {
    refusal:
      underWay(view) ??
      (store === null ? noStore : whyNotThere(operation.backup, store)) ??
      (keys > 0 && operation.replace !== true ? full : undefined),
    will: [
      `${operation.backup} is fetched and checked.`,
      ...(safe && keys > 0 ? [`A backup of what is there is taken: ${held}.`] : []),
      'Writes are held while the primary loads it; the replicas follow.',
    ],
    warnings: [
      ...unread,
      ...(keys > 0
        ? [`What is there is replaced: ${held}${safe ? '' : ', and no backup is taken before'}.`]
        : []),
    ],
  };
}
