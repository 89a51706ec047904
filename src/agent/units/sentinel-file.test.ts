import { expect, test } from 'vitest';
import { isSoundSentinelConf, monitoredIn, unusableEpochIn } from './sentinel-file.ts';

const myid = `sentinel myid ${'a'.repeat(40)}`;
const monitor = 'sentinel monitor orders 127.0.0.1 7101 2';
const lines = ['port 7201', myid, monitor, 'sentinel auth-pass orders x', 'sentinel config-epoch orders 3'];

test('a file is sound as long as nothing is missing that a Sentinel of ours needs', () => {
  expect(isSoundSentinelConf(lines.join('\n'), 'orders')).toBe(true);
  for (const missing of lines.slice(0, 4)) {
    const rest = lines.filter((line) => line !== missing).join('\n');
    expect(isSoundSentinelConf(rest, 'orders'), missing).toBe(false);
  }
  expect(isSoundSentinelConf('', 'orders')).toBe(false);
  expect(isSoundSentinelConf(lines.join('\n'), 'other')).toBe(false);
});

test('a file that was cut off anywhere is no reason to throw', () => {
  const text = lines.join('\n');
  for (let end = 0; end < text.indexOf('auth-pass'); end++)
    expect(isSoundSentinelConf(text.slice(0, end), 'orders')).toBe(false);
});

test('whom it watches is looked for under our name only', () => {
  const others = 'sentinel monitor b 127.0.0.1 9 1\n';
  expect(monitoredIn(`${others}${monitor}`, 'orders')).toEqual({ address: '127.0.0.1', port: 7101 });
  expect(monitoredIn(others, 'orders')).toBeNull();
  expect(monitoredIn('sentinel monitor orders 127.0.0.1', 'orders')).toBeNull();
});

test('an epoch after which there is none is no start; one of another name is not our matter', () => {
  const sound = [...lines, 'sentinel leader-epoch orders 4', 'sentinel current-epoch 4'].join('\n');
  expect([isSoundSentinelConf(sound, 'orders'), unusableEpochIn(sound, 'orders')]).toEqual([true, null]);
  for (const line of ['config-epoch orders 3', 'leader-epoch orders 4', 'current-epoch 4'])
    for (const epoch of ['9223372036854775806', '18446744073709551615', '-1', '1e3', 'x']) {
      const spoilt = sound.replace(line, line.replace(/\d+$/, epoch));
      expect([isSoundSentinelConf(spoilt, 'orders'), unusableEpochIn(spoilt, 'orders')]).toEqual([
        false,
        epoch,
      ]);
    }
  const others = `${sound}\nsentinel config-epoch other 9223372036854775806`;
  expect(isSoundSentinelConf(others, 'orders')).toBe(true);
});
