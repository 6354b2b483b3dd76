/** The checks that need nothing running: format, lint with the borders of the house, types, unused code. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

interface Check {
  name: string;
  /** Program in node_modules/.bin, then its arguments. */
  command: [string, ...string[]];
  /** What to type when it fails, unless its output already says. */
  help?: string;
}

const checks: Check[] = [
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'], help: 'npm run fix' },
  { name: 'types', command: ['tsc', '--project', 'tsconfig.json'] },
  { name: 'types of web', command: ['tsc', '--project', 'web/tsconfig.json'] },
  { name: 'unused', command: ['knip', '--no-progress', '--no-config-hints'] },
  { name: 'format', command: ['oxfmt', '--check'], help: 'npm run fix' },
];

const root = join(import.meta.dirname, '..');

/** Runs all checks, two at a time, printing a line for each as it ends. Returns the names of those that failed. */
export async function runChecks(): Promise<string[]> {
  const waiting = [...checks];
  const failed: string[] = [];
  const worker = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      if (!(await run(check))) failed.push(check.name);
    }
  };
  await Promise.all([worker(), worker()]);
  return failed;
}

async function run({ name, command: [program, ...args], help }: Check): Promise<boolean> {
  const started = performance.now();
  const child = spawn(join(root, 'node_modules/.bin', program), args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (code === 0) {
    console.log(`ok      ${name} (${seconds} s)`);
    return true;
  }
  const hint = help === undefined ? '' : `\nTo put right what can be put right by itself: ${help}`;
  console.log(`FAILED  ${name} (${seconds} s)\n${`${out}${err}`.trim()}${hint}\n`);
  return false;
}

if (import.meta.main) {
  const failed = await runChecks();
  if (failed.length > 0) console.log(`${failed.length} of ${checks.length} checks failed: ${failed.join(', ')}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
