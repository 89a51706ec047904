/**
 * A program that is started before it is needed: it has loaded when it is, and waits for a word until then. Who starts it holds
 * a pipe, and when that ends without the word, because whoever held it died, so does the program.
 */
import { closeSync, readSync } from 'node:fs';

/** Set for a program that is to wait. Its children are not. */
export const heldVariable = 'HOLDFAST_HELD';
export const heldDescriptor = 3;

/** Waits, doing nothing at all, where that was asked for. To be called when everything is loaded, before anything is read. */
export function waitUntilLetGo(): void {
  if (process.env[heldVariable] === undefined) return;
  delete process.env[heldVariable];
  if (readSync(heldDescriptor, Buffer.alloc(16)) === 0) process.exit(0);
  closeSync(heldDescriptor);
}
