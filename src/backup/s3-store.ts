import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { parseName } from './naming.ts';
import { createClient, explainS3, type StoreOptions, statusOf } from './s3-client.ts';
import { readResuming } from './s3-read.ts';
import { S3Upload } from './s3-upload.ts';
import type { BackupStore, StoredObject, Upload, UploadHints } from './store.ts';

/** A bucket, or what stands in one under a prefix. */
export class S3Store implements BackupStore {
  readonly url: string;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #options: StoreOptions;

  /** @param prefix with or without a slash at its end; empty: the whole bucket. */
  constructor(url: string, bucket: string, prefix: string, options: StoreOptions) {
    this.url = url;
    this.#bucket = bucket;
    this.#prefix = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
    this.#options = options;
    this.#client = createClient(options);
  }

  async list(prefix: string): Promise<StoredObject[]> {
    return await this.#guard(`list ${this.url}`, async () => {
      const found: StoredObject[] = [];
      const folders = new Map<string, StoredObject>();
      let next: string | undefined;
      do {
        const page = await this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: `${this.#prefix}${prefix}`,
            ContinuationToken: next,
          }),
        );
        for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
          const [name = '', ...below] = Key.slice(this.#prefix.length).split('/');
          const object = { name, bytes: Size, modifiedMs: LastModified?.getTime() ?? 0 };
          if (below.length === 0) found.push(object);
          else folders.set(name, { ...object, bytes: 0, unusable: 'a folder' });
        }
        next = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (next !== undefined);
      // Unlike on a disk, a folder and an object may have one name.
      for (const { name } of found) folders.delete(name);
      return [...found, ...folders.values()];
    });
  }

  read(name: string, offset = 0): AsyncGenerator<Buffer> {
    return readResuming({
      open: async (from, etag, signal) =>
        await this.#client.send(
          new GetObjectCommand({
            ...this.#object(name),
            ...(from > 0 ? { Range: `bytes=${from}-` } : {}),
            ...(etag === undefined ? {} : { IfMatch: etag }),
          }),
          { abortSignal: signal },
        ),
      explain: (error) => explainS3(error, `read ${this.#shown(name)}`, this.#options.endpoint),
      offset,
    });
  }

  async upload(name: string, hints: UploadHints = {}): Promise<Upload> {
    return new S3Upload({
      client: this.#client,
      target: this.#object(name),
      encryption: this.#encryption(),
      shown: this.#shown(name),
      endpoint: this.#options.endpoint,
      expectedBytes: hints.expectedBytes ?? 0,
      leastPartBytes: this.#options.partBytes ?? 8 * 2 ** 20,
    });
  }

  async put(name: string, bytes: Buffer, options: { ifAbsent?: boolean } = {}): Promise<boolean> {
    return await this.#guard(`write ${this.#shown(name)}`, async () => {
      // Servers that do not know the condition ignore it, so it is looked at first as well.
      if (options.ifAbsent && (await this.#isThere(name))) return false;
      const md5 = createHash('md5').update(bytes).digest();
      const request = {
        ...this.#object(name),
        ...this.#encryption(),
        Body: bytes,
        ContentLength: bytes.length,
        ContentMD5: md5.toString('base64'),
      };
      try {
        await this.#client.send(
          new PutObjectCommand(options.ifAbsent ? { ...request, IfNoneMatch: '*' } : request),
        );
      } catch (error) {
        const status = statusOf(error);
        if (options.ifAbsent && (status === 412 || status === 409)) return false;
        if (!options.ifAbsent || status !== 501) throw error;
        await this.#client.send(new PutObjectCommand(request));
      }
      return true;
    });
  }

  async remove(name: string): Promise<void> {
    await this.#guard(`remove ${this.#shown(name)}`, async () => {
      await this.#client.send(new DeleteObjectCommand(this.#object(name)));
    });
  }

  async sweep(beforeMs: number): Promise<number> {
    return await this.#guard(`look for unfinished uploads in ${this.url}`, async () => {
      let swept = 0;
      for (const { Key = '', UploadId, Initiated } of await this.#unfinished()) {
        const isOurs = parseName(Key.slice(this.#prefix.length)) !== undefined;
        if (!isOurs || (Initiated?.getTime() ?? 0) >= beforeMs) continue;
        try {
          await this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId }));
        } catch (error) {
          if (statusOf(error) !== 404) throw error;
        }
        swept++;
      }
      return swept;
    });
  }

  async #unfinished() {
    const found = [];
    let markers: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
    for (;;) {
      const page = await this.#client.send(
        new ListMultipartUploadsCommand({
          Bucket: this.#bucket,
          Prefix: `${this.#prefix}redis_`,
          ...markers,
        }),
      );
      found.push(...(page.Uploads ?? []));
      if (!page.IsTruncated) return found;
      markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
  }

  async #isThere(name: string): Promise<boolean> {
    try {
      await this.#client.send(new HeadObjectCommand(this.#object(name)));
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  #object(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${name}` };
  }

  #shown(name: string): string {
    return `s3://${this.#bucket}/${this.#prefix}${name}`;
  }

  #encryption() {
    const { serverSideEncryption, kmsKeyId } = this.#options;
    return {
      ...(serverSideEncryption ? { ServerSideEncryption: serverSideEncryption } : {}),
      ...(kmsKeyId ? { SSEKMSKeyId: kmsKeyId } : {}),
    };
  }

  async #guard<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explainS3(error, doing, this.#options.endpoint);
    }
  }
}
