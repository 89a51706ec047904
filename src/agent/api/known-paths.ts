/**
 * Which paths a server has, and by which methods each is asked (RFC 9110, 15.5.6): a path that is there, asked in another
 * way, is answered 405 with those that it has, and not as if it were not there.
 */
import type { FastifyInstance } from 'fastify';

export class KnownPaths {
  readonly #methods = new Map<string, Set<string>>();

  /** Hears of every route that is put onto the server from now on. */
  watch(server: FastifyInstance): void {
    server.addHook('onRoute', ({ url, method }) => {
      const known = this.#methods.get(url) ?? new Set();
      for (const each of [method].flat()) known.add(each);
      this.#methods.set(url, known);
    });
  }

  /** @param url of a request, with its query. @returns the methods of that path, in order; none when there is no such path. */
  methodsOf(url: string): string[] {
    const asked = (url.split('?', 1)[0] ?? '').split('/');
    const found = [...this.#methods].filter(([path]) => isSuch(path.split('/'), asked));
    return [...new Set(found.flatMap(([, methods]) => [...methods]))].toSorted();
  }
}

function isSuch(path: readonly string[], asked: readonly string[]): boolean {
  const fits = (part: string, index: number) =>
    part.startsWith(':') ? asked[index] !== '' : part === asked[index];
  return path.length === asked.length && path.every(fits);
}
