import { expect, test } from 'vitest';
import { settingName } from './setting-name.ts';

test.each([
  ['lua-time-limit', 'busy-reply-threshold'],
  ['slave-priority', 'replica-priority'],
  ['repl-ping-slave-period', 'repl-ping-replica-period'],
  ['MAXMEMORY', 'maxmemory'],
])('%s is %s', (older, today) => expect(settingName(older)).toBe(today));
