import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyPattern } from '../base/key-pattern.ts';
import { mayPublishHello, splitRules, unclearChannel, withoutHello } from './hello-channel.ts';

const rule = fc.constantFrom(
  ...'&* &_* &__sentinel__:* &news:* &__sentinel__:hello allchannels resetchannels +publish -publish'.split(
    ' ',
  ),
  ...'+@all -@all +@pubsub -@pubsub +@fast -@fast +spublish -spublish +@read ~* nocommands'.split(' '),
);
const group = fc.array(rule, { maxLength: 6 }).map((words) => words.join(' '));
const rules = fc
  .tuple(group, fc.array(group, { maxLength: 2 }))
  .map(([root, selectors]) => [root, ...selectors.map((each) => `(${each})`)].join(' ').trim());

/** What the patterns of a group that may publish say of a channel. */
function mayPublish(text: string, channel: string): boolean {
  const { root, selectors } = splitRules(text);
  const buf = Buffer.from(channel);
  return [root, ...selectors].some((group) => {
    const last = group.findLast((each) =>
      /^(allcommands|nocommands|[+-](publish|@(all|pubsub|fast)))$/.test(each),
    );
    if (last === undefined || /^(-|no)/.test(last)) return false;
    const from = group.lastIndexOf('resetchannels') + 1;
    return group
      .slice(from)
      .some(
        (each) =>
          each === 'allchannels' ||
          (each.startsWith('&') && new KeyPattern(each.slice(1)).matches(buf, 0, buf.length)),
      );
  });
}

test('whatever the rules, afterwards nobody may publish where the Sentinels listen, nor gains anything', () => {
  const channel = fc.oneof(
    fc.constantFrom(
      '__sentinel__:hello',
      '__sentinel__',
      '_',
      '__',
      '__s',
      '__sentinel_',
      '__keyspace@0__:x',
    ),
    fc.string({ minLength: 1, unit: fc.constantFrom(...'_sentil:hox') }),
  );
  fc.assert(
    fc.property(rules, fc.boolean(), channel, (text, selectors, name) => {
      if (!selectors && text.includes('(')) return;
      const after = withoutHello(text, { selectors });
      expect(mayPublishHello(after)).toBe(false);
      if (unclearChannel(text) !== undefined) return;
      expect(mayPublish(after, name)).toBe(mayPublish(text, name) && !name.startsWith('__sentinel__'));
      expect(withoutHello(after, { selectors })).toBe(after);
    }),
    { numRuns: 3000 },
  );
});

test('a user with all channels goes on subscribing to all of them where the server knows selectors', () => {
  const text = withoutHello('~* &* +@all -@dangerous', { selectors: true });
  expect(text).toMatch(
    /^~\* &\* \+@all -@dangerous -publish -spublish \(\+publish \+spublish &\[\^_\]\* &_ &_\[\^_\]\* /,
  );
  expect(withoutHello('&* +@all', { selectors: false })).toMatch(/^\+@all resetchannels &\[\^_\]\* &_ /);
});

test('rules that can not reach the channel stay as they are', () => {
  for (const text of ['~* &news:* +@all', '~* &* +@all -@pubsub', '~* +@all', '&* +subscribe']) {
    expect(withoutHello(text, { selectors: true })).toBe(text);
  }
});

test.each(['&*hello +publish', '&__sentinel__:hello +@all', '&[_]* +@pubsub'])(
  '%s can not be narrowed',
  (text) => {
    expect(unclearChannel(text)).toBe(text.split(' ')[0]?.slice(1));
  },
);
