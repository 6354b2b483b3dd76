/**
 * `npm test`: the checks, then the tests, then one plain line that says how it went.
 *
 * Arguments go to vitest, and then only vitest runs: `npm test -- test/unit/duration.test.ts`.
 */
import { runChecks } from './check.ts';
import { failedIn, runVitest } from './run-vitest.ts';

const args = process.argv.slice(2);

const failedChecks = args.length === 0 ? await runChecks() : [];
const run = await runVitest(args);

if (failedChecks.length > 0) console.log(`checks that failed (see above): ${failedChecks.join(', ')}`);
const { passed, skipped, secondTry } = run.counts;
for (const name of secondTry) console.log(`passed at the second try only: ${name}`);
const failed = failedIn(run) + failedChecks.length;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
