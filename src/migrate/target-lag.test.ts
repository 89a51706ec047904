import { expect, test } from 'vitest';
import { parseInfo, replicationInfo } from '../redis/info.ts';
import { farthestBehind } from './target-lag.ts';

const info = (...replicas: string[]) =>
  replicationInfo(parseInfo(['role:master', 'master_repl_offset:1000', ...replicas].join('\r\n')));

test('the replica that is furthest behind counts, also one that is still copying', () => {
  expect(farthestBehind(info())).toBe(0);
  const near = 'slave0:ip=127.0.0.1,port=1,state=online,offset=990,lag=0';
  expect(farthestBehind(info(near, 'slave1:ip=127.0.0.1,port=2,state=online,offset=400,lag=1'))).toBe(600);
  expect(farthestBehind(info(near, 'slave1:ip=127.0.0.1,port=2,state=wait_bgsave,offset=0,lag=0'))).toBe(
    1000,
  );
});
