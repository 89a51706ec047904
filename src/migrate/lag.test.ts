import { expect, test } from 'vitest';
import { LagMeter } from './lag.ts';

test('bytes behind what was seen last, seconds since the source was where the stream is', () => {
  const meter = new LagMeter();
  expect(meter.at(5)).toBeNull();
  meter.saw(100, 1000);
  meter.saw(100, 2000);
  expect(meter.at(null)).toBeNull();
  expect(meter.at(100)).toEqual({ bytes: 0, seconds: 0 });
  meter.saw(200, 3000);
  meter.saw(300, 4000);
  expect(meter.at(100)).toEqual({ bytes: 200, seconds: 2 });
  expect(meter.at(250)).toEqual({ bytes: 50, seconds: 1 });
  expect(meter.at(300)).toEqual({ bytes: 0, seconds: 0 });
  expect(meter.at(50)).toEqual({ bytes: 250, seconds: 2 });
});

test('how long nothing was seen of it', () => {
  const meter = new LagMeter();
  expect(meter.silentMs(1000)).toBeNull();
  meter.saw(100, 1000);
  meter.saw(100, 2000);
  expect(meter.silentMs(5000)).toBe(3000);
});

test('another history begins anew', () => {
  const meter = new LagMeter();
  meter.saw(1000, 0);
  meter.saw(10, 1000);
  expect(meter.sourceOffset).toBe(10);
  expect(meter.at(10)).toEqual({ bytes: 0, seconds: 0 });
});
