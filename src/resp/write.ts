import { Buffer } from 'node:buffer';

/** One request as an array of bulk strings. Strings are written as UTF-8. */
export function writeRequest(args: readonly (string | Uint8Array)[]): Buffer {
  let head = `*${args.length}`;
  const heads: string[] = [];
  let bytes = 2;
  for (const arg of args) {
    const length = typeof arg === 'string' ? Buffer.byteLength(arg) : arg.length;
    head += `\r\n$${length}\r\n`;
    heads.push(head);
    bytes += head.length + length;
    head = '';
  }
  // One piece of memory: requests are small, and there are many.
  const request = Buffer.allocUnsafe(bytes + head.length);
  let at = 0;
  for (const [index, arg] of args.entries()) {
    at += request.write(heads[index] as string, at, 'latin1');
    if (typeof arg === 'string') at += request.write(arg, at);
    else {
      request.set(arg, at);
      at += arg.length;
    }
  }
  request.write(`${head}\r\n`, at, 'latin1');
  return request;
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
