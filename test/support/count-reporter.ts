import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** Tests that passed at the second try only (where the configuration grants one): full name, and what failed at first. */
  secondTry: string[];
}

/**
 * Writes how many tests passed, failed and were skipped as JSON to the file named by EVENKEEL_TEST_COUNTS.
 *
 * A file that could not be loaded, or that fails outside of its tests (a leak, a broken hook), and an error nobody
 * caught count as one failure each: the numbers never say "0 failed" about a run that failed.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const file = process.env['EVENKEEL_TEST_COUNTS'];
    if (file === undefined) return;
    const counts: Counts = { passed: 0, failed: unhandled.length, skipped: 0, secondTry: [] };
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed++;
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) counts.failed++;
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === 'passed') counts.passed++;
        else if (state === 'failed') counts.failed++;
        else counts.skipped++;
        if (test.diagnostic()?.flaky === true)
          counts.secondTry.push(`${module.relativeModuleId} > ${test.fullName}: ${firstLineOf(errors?.[0]?.message)}`);
      }
    }
    writeFileSync(file, JSON.stringify(counts));
  }
}

const firstLineOf = (text = 'nobody knows why'): string => text.split('\n')[0] ?? '';
