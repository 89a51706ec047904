/**
 * Whether a text is the public key of an age identity (`age1…`), by its checksum: one that was copied wrongly would
 * make backups that nobody can open. Source: BIP 173 (bech32), and the age specification, "X25519 recipient type".
 */
export function isAgeRecipient(text: string): boolean {
  if (!/^age1[02-9ac-hj-np-z]{58}$/.test(text)) return false;
  const values = [...'age'].map((letter) => letter.charCodeAt(0) >> 5);
  values.push(0, ...[...'age'].map((letter) => letter.charCodeAt(0) & 31));
  values.push(...[...text.slice(4)].map((letter) => alphabet.indexOf(letter)));
  return values.reduce(step, 1) === 1;
}

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

function step(sum: number, value: number): number {
  const top = sum >>> 25;
  let next = ((sum & 0x1ffffff) << 5) ^ value;
  for (const [bit, each] of generator.entries()) if ((top >>> bit) & 1) next ^= each;
  return next;
}
