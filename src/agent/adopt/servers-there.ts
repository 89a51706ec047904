/** The servers and Sentinels that are taken over, of this host and others, and a connection to each for a moment. */
import { errorText } from '../../base/errors.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { refusalKind } from '../../redis/errors.ts';
import { MemberClient } from '../../redis/member-client.ts';
import { SentinelClient } from '../../redis/sentinel-client.ts';
import type { Place } from '../../spec/spec.ts';
import type { Report } from '../change/change-context.ts';
import type { Setting } from '../deployment.ts';
import type { AdoptionFacts, Found, RunningMember, RunningSentinel } from './facts.ts';
import type { Access } from './survey.ts';

export interface Work {
  setting: Setting;
  facts: AdoptionFacts;
  access: Access;
  report: Report;
}

export interface There<Running> {
  id: string;
  host: string;
  address: string;
  port: number;
  running: Running;
}

const answerWithinMs = 10_000;

/** Those that run. */
export function thereOf<Running>({ place, running }: Found<Place, Running>): There<Running>[] {
  const { id, host, address, port } = place;
  return running === null ? [] : [{ id, host, address, port, running }];
}

export function primaryFirst(members: readonly There<RunningMember>[]): There<RunningMember>[] {
  const isPrimary = ({ running }: There<RunningMember>) => running.role.role === 'primary';
  return [...members.filter(isPrimary), ...members.filter((each) => !isPrimary(each))];
}

export async function withMember(
  { address, port }: There<unknown>,
  { access: { servers: credentials, tls } }: Work,
  work: (client: MemberClient) => Promise<void>,
): Promise<void> {
  const endpoint = { host: address, port };
  const client = new MemberClient({ endpoint, credentials, tls, timeoutMs: answerWithinMs });
  try {
    await work(client);
  } finally {
    client.close();
  }
}

export async function withSentinel(
  { address, port, running }: There<RunningSentinel>,
  { setting: { spec }, access: { sentinels, ownSentinels, tls } }: Work,
  work: (client: SentinelClient) => Promise<void>,
): Promise<void> {
  const endpoint = { host: address, port };
  const credentials = running.knowsUs ? ownSentinels : sentinels;
  const client = new SentinelClient({ endpoint, credentials, tls, timeoutMs: answerWithinMs }, spec.name);
  try {
    await work(client);
  } finally {
    client.close();
  }
}

/**
 * So that a server is no stranger to the others if somebody starts it with its own files once more. One that has such a file and
 * can't write it is told of.
 */
export async function keepInFiles(
  connection: RedisConnection,
  id: string,
  report: Report,
  commands: readonly (readonly [string, string])[] = [
    ['ACL', 'SAVE'],
    ['CONFIG', 'REWRITE'],
  ],
): Promise<void> {
  for (const [command, what] of commands) {
    try {
      await connection.call(command, what);
    } catch (error) {
      if (refusalKind(error) === undefined) throw error;
      const why = errorText(error);
      if (!hasNoFile.test(why))
        report(`warning: ${id} can't write its own files (${command} ${what}): ${why}`);
    }
  }
}

/** What a server says that was started without redis.conf, or whose users are in it. */
const hasNoFile = /without a config file|not configured to use an ACL file/;
