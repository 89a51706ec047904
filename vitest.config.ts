import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { placeOf } from './test/support/longest-first.ts';

const cores = availableParallelism();

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => placeOf(a.moduleId) - placeOf(b.moduleId));
  }
}

/** Unit tests stand beside their source; everything under test/ meets real processes, and mostly waits for them. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'dashboard/src/**/*.test.ts', 'test/tidy/**/*.test.ts'],
          globalSetup: ['test/support/own-temp-folder.ts'],
          setupFiles: ['test/support/fixed-seed.ts'],
          testTimeout: 60_000,
          maxWorkers: cores,
          // One process after the other with many files each: to begin one takes longer than most files.
          isolate: false,
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/{scenarios,conformance,browser}/**/*.test.ts'],
          setupFiles: ['test/support/fixed-seed.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: { poll: { timeout: 60_000 } },
          maxWorkers: cores + 1,
          // As above: a worker goes on with what it has loaded.
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      // No tests: `npm run screenshots` makes the pictures of docs/dashboard.md, `npm run bench:dashboard` measures the page,
      // `npm run bench:agent` what it costs the agent.
      {
        test: {
          name: 'page',
          include: ['test/browser/{screenshots,fluid,agent-cost}.ts'],
          testTimeout: 30_000,
          expect: { poll: { timeout: 60_000 } },
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
