/**
 * DER, as far as certificates need it (ITU-T X.690): each value is a tag, a length and its content, and has one way only in
 * which it may be written. A length below 128 is one byte; a longer one is the number of its bytes with the highest bit set,
 * and these bytes.
 *
 * Why it is written here: Node.js reads certificates and makes none. Libraries that do (@peculiar/x509) bring a dozen packages,
 * with decorators and a container for dependencies; those that write DER alone (asn1js) bring three, and leave to us what is
 * in certificate.ts all the same. What is below is all of DER that a certificate has; openssl and Node.js check it in tests.
 */

/** @param tag with its class and whether it is made of others */
export function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...content: readonly Buffer[]) => der(0x30, ...content);
export const set = (...content: readonly Buffer[]) => der(0x31, ...content);
export const octets = (content: Buffer) => der(0x04, content);
export const utf8 = (text: string) => der(0x0c, Buffer.from(text));
export const isTrue = der(0x01, Buffer.from([0xff]));

/** A whole number from 0 on, of any length, the highest byte first. */
export function unsigned(bytes: Buffer): Buffer {
  const from = bytes.findIndex((byte) => byte !== 0);
  const least = from === -1 ? Buffer.from([0]) : bytes.subarray(from);
  // With the highest bit set it would be below 0.
  return der(0x02, (least[0] as number) >= 0x80 ? Buffer.concat([Buffer.from([0]), least]) : least);
}

/** @param unused bits at the end of the last byte */
export function bits(content: Buffer, unused = 0): Buffer {
  return der(0x03, Buffer.from([unused]), content);
}

/** @param dotted such as `2.5.29.17`; the first two numbers share a byte, the others have seven bits in each of theirs. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  const bytes = others.flatMap((number) => {
    const groups = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) groups.unshift(0x80 | (left & 0x7f));
    return groups;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5); to the second. */
export function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return Number(text.slice(0, 4)) < 2050
    ? der(0x17, Buffer.from(text.slice(2)))
    : der(0x18, Buffer.from(text));
}
