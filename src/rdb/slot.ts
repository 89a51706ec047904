/** Cluster slots: CRC-16 (XMODEM) of the key, or of what stands in its first {braces}, modulo 16384. */
const table = new Uint16Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  table[byte] = crc;
}

export function keySlot(key: Uint8Array, from: number, to: number): number {
  let start = from;
  let end = to;
  const open = findByte(key, 0x7b, from, to);
  const close = open < 0 ? -1 : findByte(key, 0x7d, open + 1, to);
  if (close > open + 1) {
    start = open + 1;
    end = close;
  }
  let crc = 0;
  for (let at = start; at < end; at++) crc = ((crc << 8) & 0xffff) ^ table[((crc >>> 8) ^ key[at]!) & 255]!;
  return crc & 16_383;
}

/** The key stands in a large buffer, so this looks no further than `to`. */
function findByte(bytes: Uint8Array, wanted: number, from: number, to: number): number {
  for (let at = from; at < to; at++) if (bytes[at] === wanted) return at;
  return -1;
}
