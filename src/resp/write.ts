import { Buffer } from 'node:buffer';

/** One request as an array of bulk strings. Strings are written as UTF-8. */
export function writeRequest(args: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === 'string' ? Buffer.from(arg) : arg;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** An error reply. Line breaks in the text would break the protocol, so they become spaces. */
export function writeError(text: string): Buffer {
  return Buffer.from(`-${text.replace(/[\r\n]+/g, ' ')}\r\n`);
}

export function writeSimple(text: string): Buffer {
  return Buffer.from(`+${text}\r\n`);
}

export function writeInteger(value: number): Buffer {
  return Buffer.from(`:${value}\r\n`);
}

export function writeBulk(value: string | Uint8Array | null, protocol: 2 | 3 = 2): Buffer {
  if (value === null) return Buffer.from(protocol === 3 ? '_\r\n' : '$-1\r\n');
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
}
