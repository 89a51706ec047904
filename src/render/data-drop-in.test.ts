import { expect, test } from 'vitest';
import { dataDropIn } from './data-drop-in.ts';

const dropIn = (...folders: (string | null)[]) =>
  dataDropIn({ name: 'orders' }, folders, '/var/lib/holdfast/orders');

test('the agent may write to the folders outside of its state in which data stays', () => {
  const { file, text } = dropIn('/var/lib/redis', null, '/srv/100%/a b') ?? {};
  expect(file).toBe('/etc/systemd/system/holdfast-orders.service.d/data.conf');
  expect(text).toContain('[Service]\nReadWritePaths=-"/var/lib/redis" -"/srv/100%%/a b"\n');
  expect(text).not.toContain('ProtectHome');
});

test('also below /home; and nothing is needed for what lies in the state', () => {
  expect(dropIn('/home/redis/data')?.text).toContain('ProtectHome=no\n');
  expect(dropIn('/var/lib/holdfast/orders/member/redis-1/data', null)).toBeNull();
});
