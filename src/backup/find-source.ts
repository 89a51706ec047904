import { errorText } from '../base/errors.ts';
import type { TlsTexts } from '../redis/endpoint.ts';
import { type Info, productOf, replicationInfo } from '../redis/info.ts';
import { MemberClient } from '../redis/member-client.ts';
import { ownUserName, type Secrets } from '../spec/secrets.ts';
import type { Member, Spec } from '../spec/spec.ts';
import { StandaloneClient } from '../stream/standalone-client.ts';
import { type Candidate, chooseSource, type SourceWish } from './choose-source.ts';
import { NoBackupSource } from './errors.ts';
import type { BackupSource } from './verified-snapshot.ts';

const askMs = 3000;

/**
 * Asks every member how it is, as holdfast-backup, and chooses. Needs no agent.
 * @param wish `replica`, `prefer-replica`, `primary`, or a member's id.
 * @throws BACKUP_NO_SOURCE, with the state of every member.
 */
export async function findSource(
  spec: Spec,
  secrets: Secrets,
  tls: TlsTexts | undefined,
  wish: SourceWish,
): Promise<{ source: BackupSource; reason: string }> {
  const credentials = { username: ownUserName('backup'), password: secrets.own.backup };
  const candidates = await Promise.all(
    spec.members.map(async (member) => {
      const client = new (spec.mirror === null ? MemberClient : StandaloneClient)({
        endpoint: { host: member.address, port: member.port },
        credentials,
        tls,
        timeoutMs: askMs,
      });
      try {
        return candidateOf(member, await client.info());
      } catch (error) {
        return { ...silent(member), error: errorText(error) };
      } finally {
        client.close();
      }
    }),
  );
  const { chosen, reason } = chooseSource(candidates, wish);
  if (chosen === null) {
    throw NoBackupSource(reason, {
      hint:
        wish === 'replica'
          ? 'Wait until a replica is up and linked (holdfast status), or take it from the primary: --from primary.'
          : 'holdfast status shows what is wrong with the members.',
    });
  }
  const { member, address, port, role, serverVersion, expectedBytes } = chosen;
  return { source: { member, address, port, role, serverVersion, expectedBytes, credentials, tls }, reason };
}

function silent({ id, address, port }: Member): Candidate {
  return {
    member: id,
    address,
    port,
    role: 'replica',
    linkUp: false,
    busy: undefined,
    offset: 0,
    priority: 100,
    serverVersion: '',
    expectedBytes: 0,
  };
}

/** Source of the field names: INFO of Redis 6.2 to 7.4 and Valkey 8. */
export function candidateOf(member: Member, info: Info): Candidate {
  const { role, linkUp, syncing, offset, priority } = replicationInfo(info);
  const busy =
    info['loading'] === '1' ? 'it is loading its data' : syncing ? 'it is being synchronised' : undefined;
  const { name, version } = productOf(info);
  const serverVersion = `${name} ${version || 'unknown'}`;
  const expectedBytes = Number(info['used_memory'] ?? 0);
  return { ...silent(member), role, linkUp, busy, offset, priority, serverVersion, expectedBytes };
}
