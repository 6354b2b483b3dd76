import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import LongestFirst from './test/support/longest-first.ts';

const setupFiles = ['test/support/leaks.ts'];

/** All in one queue: those that compute fill the time in which others wait for their processes. */
const together = {
  setupFiles,
  // For what hangs: a machine that is busy with something else besides may take minutes for what takes seconds.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  maxWorkers: 4,
  sequence: { groupOrder: 1 },
};

/**
 * Where nobody watches, what fails once in hundreds of runs of real processes gets a second try, and the summary names
 * it, since it may be a defect as rare as that: worth a look, but it holds up no release.
 */
const retry = process.env['CI'] === '1' ? 1 : 0;

const wide = {
  extends: true as const,
  test: { ...together, name: 'wide', include: ['test/wide/**/*.test.ts'], retry },
} satisfies TestProjectInlineConfiguration;

const long = {
  extends: true as const,
  test: {
    name: 'long',
    include: ['test/long/**/*.test.ts'],
    setupFiles,
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
    retry,
    sequence: { groupOrder: 2 },
  },
} satisfies TestProjectInlineConfiguration;

export default defineConfig({
  test: {
    pool: 'forks',
    // Nothing of a person's own terminal or CI should change what a test sees.
    env: { NO_COLOR: '1' },
    // A second, as it is otherwise, is what a busy machine takes to draw a long page.
    expect: { poll: { timeout: 20_000 } },
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/support/count-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          ...together,
          name: 'pure',
          include: ['test/{unit,property,lint}/**/*.test.ts'],
          // They share nothing that they change: a process for each would take longer than most of them.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { ...together, name: 'simulation', include: ['test/simulation/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          ...together,
          name: 'process',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{unit,property,simulation,lint,wide,long,browser}/**', 'test/**/fixtures/**'],
          retry,
        },
      },
      {
        // A browser and a whole system each.
        extends: true,
        test: { ...together, name: 'browser', include: ['test/browser/**/*.test.ts'], retry },
      },
      // With a command of their own (`npm run test:long`): `wide`, all that people do and all that goes wrong around
      // them, with the real CLI; `long`, minutes each, and figures, for which they have the machine for themselves.
      ...(process.env['EVENKEEL_TEST_LONG'] === '1' ? [wide, long] : []),
    ],
  },
});
