import { describe, expect, test } from 'vitest';
import {
  actWithinMs,
  beginElection,
  type Election,
  epochToAskIn,
  hear,
  mayAct,
  outcome,
  votedForAnother,
  voteIsStaleAfterMs,
  votesNeeded,
} from './election.ts';

const us = 'a'.repeat(40);
const other = 'b'.repeat(40);
const all = new Set(['s1', 's2', 's3']);
const electorate = { sentinels: ['s1', 's2', 's3'], quorum: 2 };
const begin = (changes: Partial<typeof electorate> = {}) =>
  beginElection({ ...electorate, ...changes }, { runId: us, epoch: 5, nowMs: 1000 });
const vote = (from: string, votedFor = us, epoch = 5) => ({ kind: 'vote', from, votedFor, epoch }) as const;
const having = (election: Election, ...heard: Parameters<typeof hear>[1][]) => heard.reduce(hear, election);

test('elected by a majority of all Sentinels, whether they answer or not', () => {
  expect(outcome(begin())).toBe('open');
  expect(outcome(having(begin(), vote('s1')))).toBe('open');
  expect(outcome(having(begin(), vote('s1'), vote('s3')))).toBe('elected');
  expect(outcome(having(begin(), vote('s1'), { kind: 'silent', from: 's2' }))).toBe('open');
});

test('a quorum above the majority counts', () => {
  expect(votesNeeded({ ...electorate, quorum: 3 })).toBe(3);
  expect(outcome(having(begin({ quorum: 3 }), vote('s1'), vote('s2')))).toBe('open');
  expect(outcome(having(begin({ quorum: 3 }), vote('s1'), vote('s2'), vote('s3', other)))).toBe(
    'not-elected',
  );
});

test('votes for another, or in vain, end it as soon as it can’t be won any more', () => {
  expect(outcome(having(begin(), vote('s1', other), vote('s2', other)))).toBe('not-elected');
  const silent = (from: string) => ({ kind: 'silent', from }) as const;
  expect(outcome(having(begin(), silent('s1'), silent('s2')))).toBe('not-elected');
  expect(outcome(having(begin(), vote('s1', other, 6), vote('s2', other, 6)))).toBe('not-elected');
});

test('answers of an earlier epoch come from who knows of a later one: ask again further ahead', () => {
  expect(outcome(having(begin(), vote('s1', other, 2), vote('s2', '*', 0)))).toBe('behind');
  expect([0, 1, 2, 3].map((attempt) => epochToAskIn(7, attempt))).toEqual([8, 9, 11, 15]);
});

test('who is behind asks again at once, and does not wait for a Sentinel that may never answer', () => {
  expect(outcome(having(begin(), vote('s1', other, 2), vote('s2')))).toBe('behind');
  expect(outcome(having(begin(), vote('s1', other, 2)))).toBe('behind');
  expect(outcome(having(begin(), vote('s1'), vote('s2'), vote('s3', other, 2)))).toBe('elected');
});

test('someone else is at it when a Sentinel voted for another in this epoch or later', () => {
  expect(votedForAnother(having(begin(), vote('s1', other)))).toBe(true);
  expect(votedForAnother(having(begin(), vote('s1', other, 6)))).toBe(true);
  expect(votedForAnother(having(begin(), vote('s1', other, 4), vote('s2')))).toBe(false);
});

test('who names another primary has no vote on this one', () => {
  const elsewhere = (from: string) => ({ kind: 'elsewhere', from }) as const;
  expect(outcome(having(begin(), elsewhere('s1')))).toBe('open');
  expect(outcome(having(begin(), elsewhere('s1'), elsewhere('s2')))).toBe('not-elected');
});

test('a Sentinel has one vote, and strangers none', () => {
  expect(outcome(having(begin(), vote('s1'), vote('s1')))).toBe('open');
  expect(outcome(having(begin(), vote('s1'), vote('s9')))).toBe('open');
  expect(outcome(having(begin(), vote('s1', other), vote('s1'), vote('s2')))).toBe('open');
});

describe('Sentinels that do not speak the protocol', () => {
  const strange = (from: string) => ({ kind: 'strange', from }) as const;
  test('are done without when the others suffice', () => {
    expect(outcome(having(begin(), strange('s1'), vote('s2'), vote('s3')))).toBe('elected');
  });
  test('are asked otherwise when they don’t', () => {
    expect(outcome(having(begin(), strange('s1'), strange('s2')))).toBe('not-understood');
    expect(outcome(having(begin(), strange('s1'), vote('s2', other), vote('s3', other)))).toBe('not-elected');
  });
  test('are known by a vote for us in an epoch that we did not ask for', () => {
    expect(outcome(having(begin(), vote('s1', us, 4), vote('s2', us, 9)))).toBe('not-understood');
  });
});

describe('the elected may act', () => {
  const elected = having(begin(), vote('s1'), vote('s2'));
  test('while its votes are fresh, which is over before anyone else may stand', () => {
    expect(mayAct(elected, 1000 + actWithinMs, actWithinMs, all)).toBe(true);
    expect(mayAct(elected, 1001 + actWithinMs, actWithinMs, all)).toBe(false);
    expect(actWithinMs).toBeLessThan(voteIsStaleAfterMs);
  });
  test('unless a later epoch was heard of', () => {
    expect(mayAct(having(elected, { kind: 'epoch', epoch: 5 }), 1000, actWithinMs, all)).toBe(true);
    expect(mayAct(having(elected, { kind: 'epoch', epoch: 6 }), 1000, actWithinMs, all)).toBe(false);
    expect(mayAct(having(elected, vote('s3', other, 6)), 1000, actWithinMs, all)).toBe(false);
  });
  test('unless those who voted for it name another primary than the one that it replaces', () => {
    expect(mayAct(elected, 1000, actWithinMs, new Set(['s1', 's2']))).toBe(true);
    expect(mayAct(elected, 1000, actWithinMs, new Set(['s1', 's3']))).toBe(false);
  });
  test('and not when it is not elected', () => {
    expect(mayAct(having(begin(), vote('s1')), 1000, actWithinMs, all)).toBe(false);
  });
});
