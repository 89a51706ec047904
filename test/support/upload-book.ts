import type { IncomingMessage, ServerResponse } from 'node:http';

/** What s3rver lacks of multipart uploads: aborting them, and listing those that are not finished. */
export class UploadBook {
  readonly #unfinished = new Map<string, { key: string; initiated: string }>();

  /** Answers what s3rver would not; true when it did. */
  answers({ method, url = '' }: IncomingMessage, answer: ServerResponse): boolean {
    const { searchParams, pathname } = new URL(url, 'http://x');
    const id = searchParams.get('uploadId');
    if (id !== null && !this.#unfinished.has(id)) {
      reply(
        answer,
        404,
        '<Error><Code>NoSuchUpload</Code><Message>There is no such upload</Message></Error>',
      );
      return true;
    }
    if (id !== null && method === 'DELETE') {
      this.#unfinished.delete(id);
      answer.writeHead(204).end();
      return true;
    }
    if (method !== 'GET' || !searchParams.has('uploads')) return false;
    const prefix = searchParams.get('prefix') ?? '';
    const uploads = [...this.#unfinished].filter(([, { key }]) => key.startsWith(prefix));
    const entries = uploads.map(
      ([uploadId, { key, initiated }]) =>
        `<Upload><Key>${key}</Key><UploadId>${uploadId}</UploadId><Initiated>${initiated}</Initiated></Upload>`,
    );
    const bucket = `<Bucket>${pathname.slice(1)}</Bucket><IsTruncated>false</IsTruncated>`;
    reply(
      answer,
      200,
      `<ListMultipartUploadsResult>${bucket}${entries.join('')}</ListMultipartUploadsResult>`,
    );
    return true;
  }

  /** Learns of an upload that s3rver has begun or completed. */
  note({ method, url = '' }: IncomingMessage, status: number, body: string): void {
    const { searchParams, pathname } = new URL(url, 'http://x');
    if (method !== 'POST' || status !== 200) return;
    const id = /<UploadId>([^<]+)<\/UploadId>/.exec(body)?.[1];
    const key = decodeURIComponent(pathname.split('/').slice(2).join('/'));
    if (searchParams.has('uploads') && id)
      this.#unfinished.set(id, { key, initiated: new Date().toISOString() });
    else this.#unfinished.delete(searchParams.get('uploadId') ?? '');
  }
}

function reply(answer: ServerResponse, status: number, xml: string): void {
  answer.writeHead(status, { 'content-type': 'application/xml' });
  answer.end(`<?xml version="1.0" encoding="UTF-8"?>${xml}`);
}
