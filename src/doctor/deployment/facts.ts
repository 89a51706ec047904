import { X509Certificate } from 'node:crypto';
import { errorText } from '../../base/errors.ts';
import { readNamedFile } from '../../base/private-file.ts';
import type { TlsTexts } from '../../redis/endpoint.ts';
import type { Info } from '../../redis/info.ts';
import { MemberClient } from '../../redis/member-client.ts';
import { SentinelClient } from '../../redis/sentinel-client.ts';
import { readTls } from '../../redis/tls.ts';
import { ownUserName, type Secrets } from '../../spec/secrets.ts';
import type { Member, SentinelPlace, Spec } from '../../spec/spec.ts';
import { StandaloneClient } from '../../stream/standalone-client.ts';

/** What the servers of a deployment say of themselves at one moment. */
export interface DeploymentFacts {
  spec: Spec;
  secrets: Secrets;
  members: MemberFacts[];
  sentinels: SentinelFacts[];
  /** haproxy.cfg of this host's gates, by gate; empty with holdfast's own. */
  haproxy: { gate: string; text: string }[];
  certificates: CertificateFacts[];
  /** Null when nobody looked into the store. */
  backups: BackupFacts | null;
  /** What this host's members run with and the spec does not say; null when no agent could be asked. */
  drift: readonly { member: string; text: string }[] | null;
  wallMs: number;
}

export interface MemberFacts {
  place: Member;
  /** Null when it didn't answer; `error` says why. */
  info: Info | null;
  config: Record<string, string>;
  /** ACL LIST. */
  users: string[];
  error: string;
  /** The wall clock here when it answered. */
  askedAtMs: number;
}

export interface SentinelFacts {
  place: SentinelPlace;
  reachable: boolean;
  error: string;
  /** `address:port` of whom it calls primary. */
  primary: string;
  quorumOk: boolean;
  quorumReason: string;
  tilt: boolean;
}

export interface CertificateFacts {
  file: string;
  validToMs: number;
  error: string;
}

export interface BackupFacts {
  /** When the newest good backup was taken, of those whose date has passed; null when there is none. */
  newestAtMs: number | null;
  /** Backups that are dated ahead of this machine's clock, one sentence each. */
  ahead: readonly string[];
  /** Backups that can't be used, one sentence each. */
  broken: readonly string[];
  /** Why the store could not be looked into; empty when it could. */
  error: string;
}

/** What the caller knows, and the servers don't. */
export interface OtherFacts {
  haproxy?: DeploymentFacts['haproxy'];
  backups?: BackupFacts | null;
  drift?: DeploymentFacts['drift'];
}

export async function readDeployment(
  spec: Spec,
  secrets: Secrets,
  { haproxy = [], backups = null, drift = null }: OtherFacts = {},
): Promise<DeploymentFacts> {
  const tls = await readTls(spec.security.tls);
  const files = spec.security.tls ? [spec.security.tls.cert, spec.security.tls.ca] : [];
  const certificates = files.map(readCertificate);
  const [members, sentinels] = await Promise.all([
    Promise.all(spec.members.map((place) => askMember(place, spec, secrets, tls))),
    Promise.all(spec.sentinels.map((place) => askSentinel(place, spec, secrets, tls))),
  ]);
  return { spec, secrets, members, sentinels, haproxy, certificates, backups, drift, wallMs: Date.now() };
}

async function askMember(
  place: Member,
  { mirror }: Spec,
  secrets: Secrets,
  tls: TlsTexts | undefined,
): Promise<MemberFacts> {
  const client = new (mirror === null ? MemberClient : StandaloneClient)({
    endpoint: { host: place.address, port: place.port },
    credentials: { username: ownUserName('agent'), password: secrets.own.agent },
    tls,
  });
  try {
    const all = await client.info('all');
    const askedAtMs = Date.now();
    // Of itself a standalone server says that it is a primary, whoever leads.
    const info = mirror === null ? all : { ...all, ...(await client.info()) };
    const config = await client.getConfig('*');
    const users = (await client.connection.call('ACL', 'LIST')) as string[];
    return { place, info, config, users, error: '', askedAtMs };
  } catch (error) {
    return { place, info: null, config: {}, users: [], error: errorText(error), askedAtMs: Date.now() };
  } finally {
    client.close();
  }
}

async function askSentinel(
  place: SentinelPlace,
  spec: Spec,
  secrets: Secrets,
  tls: TlsTexts | undefined,
): Promise<SentinelFacts> {
  const { sentinelPassword } = secrets;
  const client = new SentinelClient(
    {
      endpoint: { host: place.address, port: place.port },
      credentials:
        sentinelPassword === null ? undefined : { username: 'default', password: sentinelPassword },
      tls,
    },
    spec.name,
  );
  const silent = { place, reachable: false, primary: '', quorumOk: false, quorumReason: '', tilt: false };
  try {
    const { address, port } = await client.primary();
    const { ok, reason } = await client.quorum();
    const tilt = await client.tilt();
    return {
      place,
      reachable: true,
      error: '',
      primary: `${address}:${port}`,
      quorumOk: ok,
      quorumReason: reason,
      tilt,
    };
  } catch (error) {
    return { ...silent, error: errorText(error) };
  } finally {
    client.close();
  }
}

function readCertificate(file: string): CertificateFacts {
  try {
    return { file, validToMs: Date.parse(new X509Certificate(readNamedFile(file)).validTo), error: '' };
  } catch (error) {
    return { file, validToMs: 0, error: errorText(error) };
  }
}

/** A member that answered, with what it said. */
export type LiveMember = MemberFacts & { info: Info };

export function liveMembers({ members }: DeploymentFacts): LiveMember[] {
  return members.filter((member): member is LiveMember => member.info !== null);
}
