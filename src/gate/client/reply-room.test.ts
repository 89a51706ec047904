import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { ReplyRoom } from './reply-room.ts';

const write = (text: Buffer) => Buffer.concat([Buffer.from('='), text]);

function* linesOf(bytes: number, asked: string[]): Generator<string> {
  for (let each = 0; each < 5; each++) {
    asked.push(`${each}`);
    yield `${each}`.repeat(bytes);
  }
}

test('what there is room for is told whole', () => {
  const room = new ReplyRoom(20);
  expect(room.fill(linesOf(2, []), write).toString()).toBe('=0011223344');
  expect(room.fill(['\xe4'], write)).toEqual(Buffer.from([0x3d, 0xe4]));
});

test('beyond it there is an error, and nothing more is made, of this or of what comes behind it in the same answer', () => {
  const asked: string[] = [];
  const room = new ReplyRoom(25);
  expect(room.fill(linesOf(10, asked), write).toString()).toMatch(/^-ERR .*limits\.replyBytes.* 25 bytes/);
  expect(asked).toEqual(['0', '1', '2']);
  expect(room.fill(linesOf(1, asked), write)[0]).toBe('-'.charCodeAt(0));
  expect(asked).toEqual(['0', '1', '2']);
});
