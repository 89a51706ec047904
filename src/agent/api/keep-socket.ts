/** The way in for commands is a file, which anybody who tidies up may remove: the agent looks, and makes it anew. */
import { chmodSync, existsSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { errorText } from '../../base/errors.ts';
import { makeSocketFolder } from './socket-folder.ts';

const lookEveryMs = 1000;

export type TellOfSocket = (kind: 'socket-remade' | 'action-failed', text: string) => void;

/**
 * @param server what answers: it gets the connections to the new socket too, and those that it has go on.
 * @param tell what was done, or once why it could not be, as a sentence. @param everyMs how often it is looked at
 * @returns what ends it.
 */
export function keepSocket(
  server: Pick<HttpServer, 'emit'>,
  socket: string,
  tell: TellOfSocket,
  everyMs = lookEveryMs,
): () => void {
  let listener: Server | null = null;
  let busy = false;
  let failed = false;
  let ended = false;
  const remake = async () => {
    // First: its end removes the file of that name. Whoever is connected stays so.
    listener?.close();
    listener = null;
    await makeSocketFolder(socket);
    const fresh = createServer((connection) => void server.emit('connection', connection));
    await new Promise<void>((resolve, reject) => fresh.once('error', reject).listen(socket, resolve));
    chmodSync(socket, 0o600);
    fresh.unref();
    listener = fresh;
    if (ended) fresh.close();
  };
  const look = async () => {
    if (busy || ended || existsSync(socket)) return;
    busy = true;
    try {
      await remake();
      failed = false;
      tell('socket-remade', `the agent's socket ${socket} was gone: it was made anew`);
    } catch (error) {
      if (!failed)
        tell('action-failed', `the agent's socket ${socket} is gone, and can't be made: ${errorText(error)}`);
      failed = true;
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return () => {
    ended = true;
    clearInterval(timer);
    listener?.close();
  };
}
