/** A member of `topology: mirror` beside the one that leads: what is compared of it, as whom, and how it is repaired. */
import type { VerifyOptions } from '../migrate/verify/verify.ts';
import type { Credentials, TlsTexts } from '../redis/endpoint.ts';
import type { Secrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { isLeadKey } from '../stream/lead-position.ts';
import { Reasserting } from '../stream/reassert.ts';
import { memberSides } from './member-stream.ts';

export interface ComparedPlace {
  endpoint: { host: string; port: number };
  credentials: Credentials;
  tls: TlsTexts | undefined;
}

export interface ComparedMember {
  /** The one that leads. */
  source: ComparedPlace;
  target: ComparedPlace;
  scope: Required<Pick<VerifyOptions, 'isCompared' | 'repairWith'>>;
  close(): void;
}

/** @throws TLS_FILE_UNREADABLE */
export async function comparedMember(
  spec: Spec,
  secrets: Secrets,
  ids: { member: string; lead: string },
): Promise<ComparedMember> {
  const at = (id: string) => {
    const place = spec.members.find((each) => each.id === id);
    return { host: place?.address ?? '', port: place?.port ?? 0 };
  };
  const { credentials, tls } = await memberSides(spec, secrets, { ...ids, endpoint: at(ids.member) });
  const source = { endpoint: at(ids.lead), credentials, tls };
  let writing: Reasserting | undefined;
  return {
    source,
    target: { endpoint: at(ids.member), credentials, tls },
    scope: {
      isCompared: (key) => !isLeadKey(key),
      repairWith: async (db, key) => {
        writing ??= new Reasserting(source);
        return await writing.write(db, key);
      },
    },
    close: () => writing?.close(),
  };
}
