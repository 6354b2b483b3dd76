/**
 * npm run test:long [-- --minutes N] [-- NAME ...]
 *
 * The tests below test/long, one file after the other, since each wants the machine for itself. With `--minutes` none is
 * begun that would not end in time, and what was left out is said. Names choose files: `npm run test:long -- matrix`.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { failedIn, runVitest } from './run-vitest.ts';

/** What each takes on two cores, minutes; those that are not named take less than one. */
const MINUTES: Readonly<Record<string, number>> = {
  'acme-renewal': 2,
  'fault-matrix': 45,
  'no-overlap-kills': 5,
  'rollouts-in-a-row': 9,
  'several-controllers': 15,
  'store-away': 3,
};

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string' } },
  allowPositionals: true,
});
const limit = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes);
const began = performance.now();
const spent = (): number => (performance.now() - began) / 60_000;
const folder = join(import.meta.dirname, '../test/long');
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => file.replace('.test.ts', ''))
  .filter((name) => positionals.length === 0 || positionals.some((each) => name.includes(each)))
  .toSorted((a, b) => (MINUTES[a] ?? 1) - (MINUTES[b] ?? 1));

let [passed, failed] = [0, 0];
const leftOut: string[] = [];
for (const name of files) {
  if (spent() + (MINUTES[name] ?? 1) > limit) {
    leftOut.push(`${name} (about ${MINUTES[name] ?? 1} min)`);
    continue;
  }
  const run = await runVitest(['--project', 'long', `test/long/${name}.test.ts`], { long: true });
  passed += run.counts.passed;
  failed += failedIn(run);
}
if (leftOut.length > 0) console.log(`left out, since ${limit} minutes are too short for them: ${leftOut.join(', ')}`);
console.log(`${passed} passed, ${failed} failed${leftOut.length > 0 ? `, ${leftOut.length} left out` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
