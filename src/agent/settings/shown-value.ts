import { formatSize } from '../../base/size.ts';
import { settingName } from '../../spec/setting-name.ts';

/** Settings of one size in bytes, which CONFIG GET gives as a bare number. */
const sizes = new Set([
  ...[
    'maxmemory',
    'maxmemory-clients',
    'client-query-buffer-limit',
    'proto-max-bulk-len',
    'repl-backlog-size',
  ],
  ...[
    'auto-aof-rewrite-min-size',
    'active-defrag-ignore-bytes',
    'stream-node-max-bytes',
    'replication-buffer-limit',
  ],
]);

/** A setting's value as people write it in a spec: `67108864` of maxmemory is `64mb`. */
export function shownValue(name: string, value: string): string {
  if (value === '') return '""';
  return sizes.has(settingName(name)) && /^[1-9]\d*$/.test(value) ? formatSize(Number(value)) : value;
}
