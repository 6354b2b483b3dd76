import { defineConfig } from 'vitest/config';

const setupFiles = ['test/support/leaks.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    // Nothing of a person's own terminal or CI should change what a test sees.
    env: { NO_COLOR: '1' },
    reporters: ['default', './test/support/count-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/{unit,property,simulation,lint}/**/*.test.ts'],
          setupFiles,
          testTimeout: 30_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // These start processes and put load on them: more than two files at once would measure each other.
        extends: true,
        test: {
          name: 'process',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{unit,property,simulation,lint}/**', 'test/**/fixtures/**'],
          setupFiles,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
