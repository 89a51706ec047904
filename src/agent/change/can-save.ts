/**
 * A member that keeps its data in an RDB saves it when it stops, and runs on where it can't: redis-server takes no SHUTDOWN and no
 * SIGTERM then. That is known before anything is stopped.
 */
import type { MemberClient } from '../../redis/member-client.ts';
import { DiskFull } from '../errors.ts';
import type { Unit } from '../units/unit.ts';

/** A member that is to be stopped. */
export interface Saver {
  readonly unit: Pick<Unit, 'process' | 'view'> | null;
  readonly watch: { readonly client: Pick<MemberClient, 'getConfig'> };
}

/** @param look has the member's unit know whether its disk is full now. @throws DISK_FULL */
export async function refuseStopWithoutRoom<Member extends Saver>(
  members: readonly Member[],
  look: (member: Member) => Promise<void>,
): Promise<void> {
  const troubles = await Promise.all(
    members.map(async (member) => {
      const { unit, watch } = member;
      if (unit === null || !unit.process.running) return [];
      await look(member).catch(() => {});
      const { noRoom } = unit.view;
      if (noRoom === null) return [];
      // One that says nothing is stopped by a signal, and by its own settings.
      const { appendonly, save } = await watch.client
        .getConfig('appendonly', 'save')
        .catch(() => ({ appendonly: 'yes', save: '' }));
      return appendonly !== 'yes' && save !== '' ? [noRoom] : [];
    }),
  );
  const all = troubles.flat();
  if (all.length === 0) return;
  throw DiskFull(`nothing was stopped: ${all.join('; ')}`, {
    hint: 'A member saves its data when it stops, and does not stop where it can not. Make room there, then ask again. Until then everything runs on.',
  });
}
