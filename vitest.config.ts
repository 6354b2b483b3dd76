import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';

const setupFiles = ['test/support/leaks.ts'];

const long = {
  extends: true as const,
  test: {
    name: 'long',
    include: ['test/long/**/*.test.ts'],
    setupFiles,
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
    sequence: { groupOrder: 3 },
  },
} satisfies TestProjectInlineConfiguration;

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
        // These start processes and wait for them half of the time: three files at once keep two processors busy.
        extends: true,
        test: {
          name: 'process',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{unit,property,simulation,lint,long}/**', 'test/**/fixtures/**'],
          setupFiles,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      // Minutes each, and figures: they have the machine for themselves, and their own command (`npm run test:long`).
      ...(process.env['EVENKEEL_TEST_LONG'] === '1' ? [long] : []),
    ],
  },
});
