import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { StoreFailed } from './errors.ts';
import { explainS3, statusOf } from './s3-client.ts';
import type { Upload } from './store.ts';

/**
 * An object of unknown length, in parts of one size, several at a time, each with its MD5 for the server to check.
 * What the server says it has stored is compared as well: the ETag of each part and of the whole, where those are
 * MD5 sums, and the length. lib-storage does neither, and reads streams in its own way.
 */
export interface S3UploadOptions {
  client: S3Client;
  target: { Bucket: string; Key: string };
  encryption: { ServerSideEncryption?: 'AES256' | 'aws:kms'; SSEKMSKeyId?: string };
  /** For messages. */
  shown: string;
  endpoint: string | null | undefined;
  expectedBytes: number;
  leastPartBytes: number;
}

const partsAtOnce = 4;
/** S3's own limit. */
const maxParts = 10_000;

interface Part {
  number: number;
  etag: string;
  md5: Buffer;
}

interface S3Answer {
  ETag?: string | undefined;
  ServerSideEncryption?: string | undefined;
}

export class S3Upload implements Upload {
  readonly #options: S3UploadOptions;
  readonly #partBytes: number;
  readonly #aborter = new AbortController();
  readonly #free: Buffer[] = [];
  readonly #parts: Part[] = [];
  readonly #running = new Set<Promise<void>>();
  #writing: Promise<void> = Promise.resolve();
  #uploadId: string | undefined;
  #buffer: Buffer | undefined;
  #used = 0;
  #bytes = 0;
  #started = 0;
  #failure: unknown;
  #withKms: boolean;
  #state: 'open' | 'committing' | 'over' = 'open';

  constructor(options: S3UploadOptions) {
    this.#options = options;
    this.#withKms = options.encryption.ServerSideEncryption === 'aws:kms';
    // Twice what is expected must fit into the parts that there may be.
    const needed = Math.ceil((options.expectedBytes * 2) / maxParts);
    this.#partBytes = Math.ceil(Math.max(options.leastPartBytes, needed) / 2 ** 20) * 2 ** 20;
  }

  async write(bytes: Buffer): Promise<void> {
    const writing = this.#guard(async () => {
      for (let at = 0; at < bytes.length; ) {
        this.#throwFailure();
        this.#buffer ??= this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#partBytes);
        const copied = bytes.copy(this.#buffer, this.#used, at);
        this.#used += copied;
        at += copied;
        if (this.#used === this.#partBytes) await this.#sendPart();
      }
      this.#bytes += bytes.length;
    });
    this.#writing = writing.catch(() => {});
    await writing;
  }

  async commit(): Promise<void> {
    await this.#guard(async () => {
      this.#throwFailure();
      this.#state = 'committing';
      if (this.#uploadId === undefined) await this.#putWhole();
      else await this.#complete();
      await this.#checkLength();
      this.#state = 'over';
    });
  }

  async abandon(): Promise<void> {
    if (this.#state === 'over') return;
    const wasCommitting = this.#state === 'committing';
    this.#state = 'over';
    this.#aborter.abort();
    // Among what is under way may be the request that begins the upload, whose id must be known to end it.
    await this.#writing;
    await Promise.allSettled(this.#running);
    const { client, target } = this.#options;
    if (this.#uploadId !== undefined) {
      try {
        await client.send(new AbortMultipartUploadCommand({ ...target, UploadId: this.#uploadId }));
      } catch (error) {
        // Completed after all, or swept.
        if (statusOf(error) !== 404)
          throw explainS3(error, `abort the upload of ${this.#options.shown}`, null);
      }
    }
    if (wasCommitting) await client.send(new DeleteObjectCommand(target));
  }

  /** Waits while too many are under way, then sends what is in the buffer without waiting for the answer. */
  async #sendPart(): Promise<void> {
    const { client, target, encryption, shown } = this.#options;
    const buffer = this.#buffer!;
    const body = buffer.subarray(0, this.#used);
    this.#buffer = undefined;
    this.#used = 0;
    if (this.#uploadId === undefined) {
      const created = await client.send(new CreateMultipartUploadCommand({ ...target, ...encryption }));
      if (!created.UploadId) throw this.#wrong('it began an upload without an id');
      this.#uploadId = created.UploadId;
      this.#withKms ||= created.ServerSideEncryption?.startsWith('aws:kms') ?? false;
    }
    while (this.#running.size >= partsAtOnce) await Promise.race(this.#running);
    this.#throwFailure();
    const number = ++this.#started;
    if (number > maxParts) {
      throw StoreFailed(`${shown} has more than ${maxParts} parts of ${this.#partBytes} bytes`, {
        hint: 'The data grew to more than twice its size while it was sent; take the backup again.',
      });
    }
    const sending: Promise<void> = this.#upload(number, body)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#running.delete(sending);
        this.#free.push(buffer);
      });
    this.#running.add(sending);
  }

  async #upload(number: number, body: Buffer): Promise<void> {
    const { client, target } = this.#options;
    const md5 = createHash('md5').update(body).digest();
    const answer = await client.send(
      new UploadPartCommand({
        ...target,
        UploadId: this.#uploadId,
        PartNumber: number,
        Body: body,
        ContentLength: body.length,
        ContentMD5: md5.toString('base64'),
      }),
      { abortSignal: this.#aborter.signal },
    );
    this.#compare(answer, md5.toString('hex'), `part ${number}`);
    this.#parts.push({ number, etag: answer.ETag ?? '', md5 });
  }

  async #complete(): Promise<void> {
    const { client, target } = this.#options;
    if (this.#used > 0) await this.#sendPart();
    while (this.#running.size > 0) await Promise.race(this.#running);
    this.#throwFailure();
    const parts = this.#parts.toSorted((a, b) => a.number - b.number);
    const answer = await client.send(
      new CompleteMultipartUploadCommand({
        ...target,
        UploadId: this.#uploadId,
        MultipartUpload: { Parts: parts.map((part) => ({ PartNumber: part.number, ETag: part.etag })) },
      }),
      { abortSignal: this.#aborter.signal },
    );
    const whole = createHash('md5').update(Buffer.concat(parts.map(({ md5 }) => md5)));
    this.#compare(answer, `${whole.digest('hex')}-${parts.length}`, 'the whole');
  }

  async #putWhole(): Promise<void> {
    const { client, target, encryption } = this.#options;
    const body = (this.#buffer ?? Buffer.alloc(0)).subarray(0, this.#used);
    const md5 = createHash('md5').update(body).digest();
    const answer = await client.send(
      new PutObjectCommand({
        ...target,
        ...encryption,
        Body: body,
        ContentLength: body.length,
        ContentMD5: md5.toString('base64'),
      }),
      { abortSignal: this.#aborter.signal },
    );
    this.#compare(answer, md5.toString('hex'), 'the whole');
  }

  async #checkLength(): Promise<void> {
    const { client, target } = this.#options;
    const { ContentLength: stored } = await client.send(new HeadObjectCommand(target), {
      abortSignal: this.#aborter.signal,
    });
    if (stored !== this.#bytes) throw this.#wrong(`it has ${stored} bytes, and ${this.#bytes} were sent`);
  }

  /** ETags are MD5 sums but for objects encrypted with KMS keys, and on servers that make their own. */
  #compare(answer: S3Answer, wanted: string, what: string): void {
    const bare = (answer.ETag ?? '').replaceAll('"', '');
    const isSum = /^[0-9a-f]{32}(-\d+)?$/.test(bare) && bare.includes('-') === wanted.includes('-');
    // The bucket may ask for KMS by itself; some answers name the encryption and some do not.
    this.#withKms ||= answer.ServerSideEncryption?.startsWith('aws:kms') ?? false;
    if (!isSum || this.#withKms || bare === wanted) return;
    throw this.#wrong(`its ETag for ${what} is ${bare}, and that of what was sent is ${wanted}`);
  }

  #wrong(why: string): Error {
    return StoreFailed(`the store does not have what was sent for ${this.#options.shown}: ${why}`, {
      hint: 'Something between here and the store, or the store itself, changes or loses bytes. Nothing was kept.',
    });
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explainS3(error, `write ${this.#options.shown}`, this.#options.endpoint);
    }
  }
}
