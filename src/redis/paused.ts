import type { Endpoint, TlsMaterial } from './endpoint.ts';
import { refusalKind } from './errors.ts';
import { Link } from './link.ts';

const answerWithinMs = 300;

/**
 * Whether a server that answers nothing else turns down a command that can't be. Redis checks the number of arguments
 * before it looks whether clients are paused, and before it asks who they are (processCommand in server.c, 6.2 to 8): a
 * server that is paused answers such a command at once, one that hangs or computes does not. It is asked on a connection
 * of its own, since one that waits for a paused command is not read any more.
 */
export async function isPaused(endpoint: Endpoint, tls?: TlsMaterial | undefined): Promise<boolean> {
  const link = new Link({ endpoint, tls, timeoutMs: answerWithinMs });
  try {
    await link.call(['ECHO']);
    return false;
  } catch (error) {
    return refusalKind(error) === 'ERR';
  } finally {
    link.close();
  }
}
