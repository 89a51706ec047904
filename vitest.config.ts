import { defineConfig } from 'vitest/config';

/** Unit tests stand beside their source; everything under test/ meets real processes, and mostly waits for them. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'dashboard/src/**/*.test.ts', 'test/tidy/**/*.test.ts'],
          setupFiles: ['test/support/fixed-seed.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/{scenarios,conformance,browser}/**/*.test.ts'],
          setupFiles: ['test/support/fixed-seed.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      // No tests: `npm run screenshots` makes the pictures of docs/dashboard.md, `npm run bench:dashboard` measures the page,
      // `npm run bench:agent` what it costs the agent.
      {
        test: {
          name: 'page',
          include: ['test/browser/{screenshots,fluid,agent-cost}.ts'],
          testTimeout: 30_000,
        },
      },
    ],
  },
});
