import { setTimeout as delay } from 'node:timers/promises';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { HoldfastError } from '../base/errors.ts';
import { StoreFailed } from './errors.ts';
import { statusOf } from './s3-client.ts';

interface Reading {
  open(from: number, etag: string | undefined, signal: AbortSignal): Promise<GetObjectCommandOutput>;
  explain(error: unknown): Error;
  offset: number;
}

/** Connections that break in the middle without having brought anything new. */
const maxFruitless = 3;
const pauseMs = 250;

/**
 * Reads an object to its end. A connection that breaks, or ends before all has come, is opened again from there, for
 * the same version of the object.
 */
export async function* readResuming({ open, explain, offset }: Reading): AsyncGenerator<Buffer> {
  let at = offset;
  let etag: string | undefined;
  let end: number | undefined;
  let fruitless = 0;
  const aborter = new AbortController();
  try {
    for (;;) {
      const before = at;
      let failure: unknown;
      try {
        const answer = await open(at, etag, aborter.signal);
        etag ??= answer.ETag;
        end ??= at + (answer.ContentLength ?? 0);
        for await (const piece of answer.Body as AsyncIterable<Buffer>) {
          at += piece.length;
          yield piece;
        }
      } catch (error) {
        // An answer that is an error was tried often enough by the client itself.
        if (statusOf(error) !== undefined || error instanceof HoldfastError) throw error;
        failure = error;
      }
      if (end !== undefined && at >= end) return;
      fruitless = at > before ? 0 : fruitless + 1;
      if (fruitless === maxFruitless) throw failure ?? endedEarly(at, end);
      await delay(pauseMs * (fruitless + 1));
    }
  } catch (error) {
    throw explain(error);
  } finally {
    aborter.abort();
  }
}

function endedEarly(at: number, end: number | undefined): Error {
  return StoreFailed(
    `the store ends the connection after ${at} of ${end ?? 'unknown'} bytes, again and again`,
    {
      hint: 'Look at the proxy or the server in between; the object itself may be whole.',
    },
  );
}
