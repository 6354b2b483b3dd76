/**
 * npm run test:long [-- --minutes N] [-- NAME ...]
 *
 * First the tests below test/wide, side by side; then those below test/long, one file after the other, since each wants
 * the machine for itself. With `--minutes` none is begun that would not end in time, and what was left out is said. Names
 * choose files: `npm run test:long -- matrix`.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { failedIn, runVitest } from './run-vitest.ts';

/** What each takes on two cores, minutes; those that are not named take less than one. */
const MINUTES: Readonly<Record<string, number>> = {
  'third-party-verdaccio': 2,
  'third-party-y-websocket': 2,
  'acme-renewal': 2,
  // Where no project is named it is left out at once.
  'cloud-real': process.env['EVENKEEL_REAL_PROJECT'] === undefined ? 0 : 60,
  'cloud-interrupted': 12,
  'cloud-run-kills': 15,
  'fault-matrix': 45,
  'no-overlap-kills': 3,
  'rollouts-in-a-row': 7,
  'several-controllers': 3,
  'store-away': 3,
};

/** All below test/wide together. */
const WIDE_MINUTES = 9;

/** Programs of others are what shows most about a change; the others come by how little they take. */
const isFirst = (name: string): boolean => name.startsWith('third-party-');

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string' } },
  allowPositionals: true,
});
const limit = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes);
const began = performance.now();
const spent = (): number => (performance.now() - began) / 60_000;
const filesIn = (folder: string): string[] =>
  readdirSync(join(import.meta.dirname, '../test', folder))
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => file.replace('.test.ts', ''))
    .filter((name) => positionals.length === 0 || positionals.some((each) => name.includes(each)));

/** Files of one folder, which is a project of vitest's, that are run at once. */
const part = (project: string, name: string, minutes: number, files: readonly string[]) => ({
  name,
  minutes,
  args: ['--project', project, ...files.map((file) => `test/${project}/${file}.test.ts`)],
});

const wide = filesIn('wide');
const parts = [
  ...(wide.length === 0 ? [] : [part('wide', 'wide', WIDE_MINUTES, wide)]),
  ...filesIn('long')
    .map((name) => part('long', name, MINUTES[name] ?? 1, [name]))
    .toSorted((a, b) => Number(isFirst(b.name)) - Number(isFirst(a.name)) || a.minutes - b.minutes),
];

let [passed, failed] = [0, 0];
const leftOut: string[] = [];
for (const { name, minutes, args } of parts) {
  if (spent() + minutes > limit) {
    leftOut.push(`${name} (about ${minutes} min)`);
    continue;
  }
  const run = await runVitest(args, { long: true });
  passed += run.counts.passed;
  failed += failedIn(run);
  for (const test of run.counts.secondTry) console.log(`passed at the second try only: ${test}`);
}
if (leftOut.length > 0) console.log(`left out, since ${limit} minutes are too short for them: ${leftOut.join(', ')}`);
console.log(`${passed} passed, ${failed} failed${leftOut.length > 0 ? `, ${leftOut.length} left out` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
