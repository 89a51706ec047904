/** Puts the API together and opens it. Loaded when everything runs: until then nobody needs it, and it takes a while. */
import { Server as TlsServer } from 'node:https';
import os from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { TlsTexts } from '../../redis/endpoint.ts';
import { CurrentTls, readTls } from '../../redis/tls.ts';
import { AccessLog } from '../access/access-log.ts';
import { Callers } from '../access/callers.ts';
import { Sessions } from '../access/sessions.ts';
import { Tokens } from '../access/tokens.ts';
import type { Deployment } from '../deployment.ts';
import { Moves } from '../details/moves.ts';
import { AllEvents } from '../picture/all-events.ts';
import { Colleagues } from '../picture/colleagues.ts';
import { Picture } from '../picture/picture.ts';
import { positionText } from '../picture/positions.ts';
import { throwTaken } from '../preflight.ts';
import type { EventKind } from '../state/event-kinds.ts';
import type { Commands } from './agent-commands.ts';
import { AgentServices } from './agent-services.ts';
import { isForClients, renewTls, serveWith } from './renew-tls.ts';
import { serveApi, serveControl } from './server.ts';

export interface OpenApi {
  stop(): Promise<void>;
}

/** @throws what listening throws; what listens by then is closed. */
export async function startApi(deployment: Deployment, commands: Commands): Promise<OpenApi> {
  const { setting } = deployment;
  const { spec, host, paths, secrets, clock } = setting;
  const tokens = new Tokens(paths, secrets);
  const texts = await readTls(spec.agent.tls, 'agent.tls');
  const tls = texts && new CurrentTls(texts);
  const sessions = new Sessions(
    {
      ...{ deployment: spec.name, key: secrets.sessionKey, secure: tls !== undefined },
      ...{ endedFile: paths.endedSessions, nowMs: clock.wallMs() },
    },
    tokens,
  );
  const names = [os.hostname(), host, ...spec.agent.bind, ...spec.hosts.map(({ address }) => address)];
  const access = new AccessLog(deployment.events, spec.name);
  const callers = new Callers(
    tokens,
    sessions,
    names,
    clock,
    (from) => access.wrong(from, clock.monotonicMs()),
    () => tls !== undefined && isForClients(tls.cert),
  );
  const events = new AllEvents(deployment.events, host);
  const colleagues = new Colleagues(
    { spec: () => deployment.spec, host, token: secrets.agentToken, clock, tls: texts ?? null },
    events,
  );
  const moves = new Moves({
    host,
    migrationsFile: paths.migrations,
    mirrors: () => commands.mirrors,
    requestMirrors: () =>
      deployment.gates.some(({ place }) => place.host === host) ? commands.requestMirrors : [],
    ask: (path, withinMs) => colleagues.ask(path, withinMs),
    nowMs: () => clock.monotonicMs(),
  });
  const stopHearing = events.listen(({ host: at, kind }) => {
    if (at !== host && (kind === 'backup' || kind === 'backup-not-good')) commands.lookAtBackups();
  });
  const picture = new Picture(deployment, {
    status: () => commands.status(),
    operation: () => operationOf(deployment, commands),
    events: () => positionText(events.position, host),
    jobs: () => commands.jobs.changes,
    moves: () => moves.counts(),
    colleagues: () => colleagues.seen,
  });
  const services = new AgentServices({ deployment, commands, picture, colleagues, callers, events, moves });
  const servers: FastifyInstance[] = [];
  const stopWatching = [access.watch(tokens), stopHearing];
  const stop = async () => {
    for (const end of stopWatching) end();
    picture.stop();
    colleagues.stop();
    await Promise.all(servers.map((server) => server.close()));
  };
  const tell = (kind: EventKind, text: string) => void deployment.events.add(kind, spec.name, text);
  try {
    servers.push(await serveControl(commands, services, { socket: paths.agentSocket, tell }));
    for (const address of spec.agent.bind) {
      const at = { address, port: spec.agent.port, tls: texts };
      servers.push(await serveApi(commands, services, at).catch((error) => throwTaken(error, spec, address)));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  if (spec.agent.tls !== null) {
    const take = (renewed: TlsTexts) => {
      tls?.renew(renewed);
      colleagues.changeTls(renewed);
      for (const { server } of servers) if (server instanceof TlsServer) serveWith(server, renewed);
    };
    const [files, section] = [spec.agent.tls, 'agent.tls'] as const;
    const news = `the API has the certificate that is in ${files.cert} now`;
    stopWatching.push(renewTls({ files, section, news, take, tell }));
  }
  colleagues.start();
  picture.start();
  stopWatching.push(warmUp(() => commands.metrics(services.status())));
  return { stop };
}

/** What has never run takes several times as long: the first scrape finds it warm. @returns what calls it off. */
function warmUp(answer: () => unknown): () => void {
  const soon = setImmediate(() => {
    try {
      answer();
    } catch {
      // Whoever asks for it is told.
    }
  });
  return () => clearImmediate(soon);
}

/** What is under way, with the steps of the job whose it is. */
function operationOf({ operations }: Deployment, { jobs }: Commands) {
  const { description, current } = operations;
  if (description === null) return null;
  const job = jobs.list().find(({ state, kind }) => state === 'running' && kind === current);
  return { text: description, job: job?.id ?? null, steps: job?.steps ?? [] };
}
