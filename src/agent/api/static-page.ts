/**
 * The dashboard, as it was built: every file of it is read once into a table, so that a path in a request is a key and
 * never a way through folders. Files whose name has a digest never change; the page itself is looked at anew each time.
 * Nothing of it may load or talk to anything but this agent (Content-Security-Policy).
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const built = fileURLToPath(new URL('../../dashboard', import.meta.url));

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const types = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.json', 'application/json'],
  ['.webmanifest', 'application/manifest+json'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.woff2', 'font/woff2'],
  ['.txt', 'text/plain; charset=utf-8'],
]);
const packs = new Set(['.html', '.js', '.css', '.json', '.svg', '.webmanifest', '.txt']);

interface Page {
  type: string;
  bytes: Buffer;
  etag: string;
  lasting: boolean;
  /** Made when they are first asked for. */
  packed: Map<'br' | 'gzip', Buffer>;
}

/** @returns by path; empty where no dashboard was built. */
export function readPages(folder = built): Map<string, Page> {
  const pages = new Map<string, Page>();
  for (const name of filesIn(folder)) {
    const type = types.get(path.extname(name));
    if (type === undefined) continue;
    const bytes = readFileSync(path.join(folder, name));
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    const lasting = /[-.][A-Za-z0-9_-]{8,}\.\w+$/.test(name) && name.startsWith('assets/');
    pages.set(`/${name}`, { type, bytes, etag, lasting, packed: new Map() });
  }
  const index = pages.get('/index.html');
  if (index !== undefined) pages.set('/', index);
  return pages;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) =>
        path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'),
      );
  } catch {
    return [];
  }
}

/** Anyone may load the page: it knows nothing before it has asked the API. */
export function servePages(server: FastifyInstance, pages = readPages()): void {
  for (const [url, page] of pages) {
    server.get(url, async (request, reply) => send(request, reply, url, page));
  }
}

function send(request: FastifyRequest, reply: FastifyReply, url: string, page: Page): FastifyReply {
  reply.header('content-type', page.type).header('etag', page.etag).header('vary', 'accept-encoding');
  reply.header('content-security-policy', policy).header('x-frame-options', 'DENY');
  reply.header('cache-control', page.lasting ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (request.headers['if-none-match'] === page.etag) return reply.code(304).send();
  const encoding =
    packs.has(path.extname(url === '/' ? '.html' : url)) || url === '/' ? encodingFor(request) : undefined;
  if (encoding === undefined) return reply.send(page.bytes);
  return reply.header('content-encoding', encoding).send(packed(page, encoding));
}

function encodingFor({ headers }: FastifyRequest): 'br' | 'gzip' | undefined {
  const accepted = String(headers['accept-encoding'] ?? '')
    .split(',')
    .map((each) => each.trim().split(';')[0]);
  if (accepted.includes('br')) return 'br';
  return accepted.includes('gzip') ? 'gzip' : undefined;
}

function packed(page: Page, encoding: 'br' | 'gzip'): Buffer {
  const there = page.packed.get(encoding);
  if (there !== undefined) return there;
  const bytes =
    encoding === 'gzip'
      ? gzipSync(page.bytes)
      : brotliCompressSync(page.bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
  page.packed.set(encoding, bytes);
  return bytes;
}
