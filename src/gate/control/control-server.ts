import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';
import { errorToJson } from '../../base/error-wire.ts';
import { errorText } from '../../base/errors.ts';
import type { Endpoint, MemberAddress } from '../config.ts';
import { GateControlFailed } from '../errors.ts';
import type { ConnectionView } from '../upstream/connection-view.ts';
import type {
  DrainRequest,
  GateClients,
  GatePasswords,
  GateStatus,
  HoldRequest,
  HoldResult,
  MoveRequest,
  PlacesRequest,
  SwitchRequest,
} from './control-api.ts';

/** What the control API does; the gate implements it. */
export interface ControlTarget {
  status(): GateStatus | Promise<GateStatus>;
  connections(): ConnectionView[] | Promise<ConnectionView[]>;
  clients(): GateClients | Promise<GateClients>;
  hold(request: HoldRequest): Promise<HoldResult>;
  switch(request: SwitchRequest): Promise<void>;
  release(): void | Promise<void>;
  places(request: PlacesRequest): void | Promise<void>;
  move(request: MoveRequest): Promise<void>;
  drain(request: DrainRequest): void;
}

/** Serves control.ts on the socket, which only its owner may open. @throws GATE_CONTROL */
export async function serveControl(socketPath: string, target: ControlTarget): Promise<Server> {
  if (await answers(socketPath)) {
    throw GateControlFailed(`another gate serves ${socketPath}`, {
      hint: 'Stop it first, or give this one its own path.',
    });
  }
  rmSync(socketPath, { force: true });
  const server = createServer((request, response) => {
    const answer = async () => JSON.stringify(await handle(request, target));
    answer().then(
      (text) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(text);
      },
      (error: unknown) => {
        response.writeHead(error instanceof NotFound ? 404 : 409, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: errorToJson(error) }));
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(GateControlFailed(`cannot serve ${socketPath}: ${errorText(error)}`, { cause: error })),
    );
    server.listen(socketPath, resolve);
  });
  chmodSync(socketPath, 0o600);
  return server;
}

const longestText = 500;

class NotFound extends Error {}

async function handle(request: IncomingMessage, target: ControlTarget): Promise<object> {
  const call = `${request.method} ${request.url}`;
  if (call === 'GET /status') return target.status();
  if (call === 'GET /connections') return target.connections();
  if (call === 'GET /clients') return target.clients();
  const body = await readBody(request);
  const number = (key: string, fallback: number) => {
    const value = body[key] ?? fallback;
    if (typeof value !== 'number' || !(value >= 0)) throw new TypeError(`${key} must be a number of ms`);
    return value;
  };
  const text = (key: string, fallback?: string) => {
    const value = body[key] ?? fallback;
    if (typeof value !== 'string' || value === '' || value.length > longestText) {
      throw new TypeError(`${key} must be a text of at most ${longestText} characters`);
    }
    return value;
  };
  switch (call) {
    case 'POST /hold':
      return target.hold({
        reason: text('reason', 'asked to'),
        maxMs: number('maxMs', 5000),
        ...(body['next'] === undefined ? {} : { next: listed([body['next']])[0] as Endpoint }),
        patient: body['patient'] === true,
      });
    case 'POST /switch':
      await target.switch({
        address: text('address'),
        port: number('port', 0),
        ...(body['epoch'] === undefined ? {} : { epoch: number('epoch', 0) }),
      });
      return { switched: true };
    case 'POST /release':
      await target.release();
      return { released: true };
    case 'POST /places':
      await target.places({
        members: listed(body['members'], true),
        sentinels: noneOr(body['sentinels']),
        ...(body['passwords'] === undefined ? {} : { passwords: passwordsIn(body['passwords']) }),
      });
      return { taken: true };
    case 'POST /move': {
      const to = text('to');
      if (to !== 'members' && to !== 'predecessor') throw new TypeError('to must be members or predecessor');
      await target.move({ to, onlyCheck: body['onlyCheck'] === true });
      return { moved: true };
    }
    case 'POST /drain':
      target.drain({ graceMs: number('graceMs', 10_000) });
      return { draining: true };
    default:
      throw new NotFound(`no such call: ${call}`);
  }
}

const mostPlaces = 200;

/** A deployment of standalone members may have no Sentinels. */
function noneOr(value: unknown): MemberAddress[] {
  return Array.isArray(value) && value.length === 0 ? [] : listed(value);
}

/** Addresses with their ports, and of members with their ids. */
function listed(value: unknown, withIds = false): MemberAddress[] {
  const isPlace = (each: unknown): each is MemberAddress => {
    const { id, address, port } = (each ?? {}) as Record<string, unknown>;
    const texts = withIds ? [id, address] : [address];
    const areTexts = texts.every(
      (text) => typeof text === 'string' && text !== '' && text.length <= longestText,
    );
    return areTexts && Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536;
  };
  if (!Array.isArray(value) || value.length === 0 || value.length > mostPlaces || !value.every(isPlace))
    throw new TypeError(`members and sentinels must be 1 to ${mostPlaces} places with an address and a port`);
  return value.map(({ id, address, port }) => ({ id, address, port }));
}

function passwordsIn(value: unknown): GatePasswords {
  const { member, sentinel } = (value ?? {}) as Record<string, unknown>;
  const isPassword = (each: unknown): each is string | null =>
    each === null || (typeof each === 'string' && each !== '' && each.length <= longestText);
  if (!isPassword(member) || !isPassword(sentinel)) throw new TypeError('passwords must be texts or null');
  return { member, sentinel };
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > 65_536) throw new TypeError('the body is too long');
  }
  const body: unknown = text === '' ? {} : JSON.parse(text);
  if (typeof body !== 'object' || body === null) throw new TypeError('the body must be an object');
  return body as Record<string, unknown>;
}

/** A socket file that is left over from a process that died answers nobody. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
