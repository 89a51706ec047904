import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { errorCode, errorText, HoldfastError } from '../base/errors.ts';
import { BackupNotFound, StoreDenied, StoreFailed, StoreFull } from './errors.ts';

/** For S3; a folder needs none of it. Credentials come from where the AWS tools look, never from here. */
export interface StoreOptions {
  /** Where an S3-compatible server listens, such as https://minio.example:9000; null: AWS. */
  endpoint?: string | null;
  /** Null: AWS_REGION, or the shared configuration, or us-east-1 when there is an endpoint. */
  region?: string | null;
  /** The bucket stands in the path and not in the host's name. */
  pathStyle?: boolean;
  serverSideEncryption?: 'AES256' | 'aws:kms' | null;
  kmsKeyId?: string | null;
  /** The least size of an upload's parts; 8 MiB unless given. AWS takes none below 5 MiB. */
  partBytes?: number;
}

const connectMs = 5000;
/** A store that sends and takes nothing for this long counts as one that failed; the request is tried again. */
const silenceMs = 30_000;
/** The first try and three more, with growing pauses, for whatever may pass by itself. */
const tries = 4;

/**
 * A client with the credentials that the AWS tools would use: the environment, the shared files, the machine's role.
 * Checksums are our own (Content-MD5, and SHA-256 in the manifest): those that newer SDKs add by themselves are not
 * understood by every S3-compatible server.
 */
export function createClient({ endpoint, region, pathStyle }: StoreOptions): S3Client {
  // It would print that later versions of it need a newer Node; this one is pinned, and does not.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const config: S3ClientConfig = {
    forcePathStyle: pathStyle === true,
    maxAttempts: tries,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: connectMs, socketTimeout: silenceMs, requestTimeout: 0 },
  };
  if (endpoint) config.endpoint = endpoint;
  if (region) config.region = region;
  // A server that is not AWS has no regions, and the tools' own setting is about AWS.
  else if (endpoint && !process.env['AWS_REGION']) config.region = 'us-east-1';
  return new S3Client(config);
}

/** The status of an answer that was an error; undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  const { $metadata } = (error ?? {}) as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}

/** What a failure of S3 means for a person. `doing` completes "cannot …". */
export function explainS3(error: unknown, doing: string, endpoint: string | null | undefined): Error {
  if (error instanceof HoldfastError) return error;
  const name = error instanceof Error ? error.name : '';
  const status = statusOf(error);
  const text = errorText(error) === '' || errorText(error) === 'UnknownError' ? name : errorText(error);
  const answered = status === undefined ? '' : ` (${[status, name].join(' ')})`;
  const message = `cannot ${doing}: ${text}${answered}`;
  const details = (hint: string) => ({ hint, cause: error });
  if (name === 'NoSuchKey' || (status === 404 && name === 'NotFound')) {
    return BackupNotFound(message, details('holdfast backup list shows what is there.'));
  }
  if (name === 'NoSuchBucket') {
    return StoreFailed(message, details('Create the bucket, or correct backup.to and backup.endpoint.'));
  }
  if (name === 'CredentialsProviderError') {
    return StoreDenied(
      message,
      details('Give the agent credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws, or a role.'),
    );
  }
  if (status === 403 || status === 401) {
    return StoreDenied(
      message,
      details(
        'The credentials must be valid and allow what docs/backups.md lists; a clock that is wrong is refused, too.',
      ),
    );
  }
  if (status === 507 || /StorageFull|QuotaExceeded|InsufficientStorage/.test(name)) {
    return StoreFull(message, details('Make room there, or keep fewer backups (backup.keep).'));
  }
  const where = endpoint ?? 'AWS';
  const reachable =
    status === undefined ? `Can this host reach ${where}?` : `${where} answered with an error.`;
  const code = errorCode(error);
  return StoreFailed(
    code === undefined || text.includes(code) ? message : `${message} (${code})`,
    details(`${reachable} It was tried up to ${tries} times.`),
  );
}
