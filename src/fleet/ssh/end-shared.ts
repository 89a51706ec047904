/**
 * Ends shared connections, each by a word to its socket: `ssh -O exit` says the same with a process for each. The words are
 * those of OpenSSH's PROTOCOL.mux, version 4: packets of uint32s, the first of which is the length of the others in bytes. Both
 * sides begin with a hello; a request to terminate is answered, and the process ends.
 */
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';

const hello = [1, 4];
const terminate = [0x10000005, 0];
const answersWithinMs = 2000;

/** One that does not answer ends by itself (ControlPersist). @param folder of the sockets, and of nothing else */
export async function endShared(folder: string): Promise<void> {
  await Promise.all(readdirSync(folder).map((name) => endOne(path.join(folder, name))));
}

function endOne(file: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(file);
    socket.setTimeout(answersWithinMs, () => socket.destroy());
    socket.on('error', () => {});
    socket.once('close', () => resolve());
    // What is said back is of no interest; that it ends is.
    socket.resume().write(Buffer.concat([packet(hello), packet(terminate)]));
  });
}

function packet(words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * (words.length + 1));
  for (const [index, word] of [4 * words.length, ...words].entries()) bytes.writeUInt32BE(word, 4 * index);
  return bytes;
}
