import { StoreUrlBad } from './errors.ts';
import { FileStore } from './file-store.ts';
import type { StoreOptions } from './open-store.ts';

/** A bucket. */
export class S3Store extends FileStore {
  constructor(url: string, _bucket: string, _prefix: string, _options: StoreOptions) {
    super(url, '/nowhere');
    throw StoreUrlBad(`${url}: S3 is not there yet`);
  }
}
