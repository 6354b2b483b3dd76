import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { System } from '../evenkeel-home.ts';
import { app } from '../bad/app.ts';

/**
 * A server that must never run twice. It writes down in its data folder when it begins and ends, and `twice` when it finds
 * that another one runs.
 */
export const single = (version: string, extra = ''): string =>
  app(
    version,
    `
const { appendFileSync, rmSync, readFileSync, writeFileSync } = require('node:fs');
const note = (what) => appendFileSync('kept/seen', what + ' ${version}\\n');
const alive = (pid) => { try { process.kill(pid, 0); return true; } catch { return false; } };
try {
  writeFileSync('kept/running', String(process.pid), { flag: 'wx' });
} catch {
  if (alive(Number(readFileSync('kept/running', 'utf8')))) note('twice');
  writeFileSync('kept/running', String(process.pid));
}
note('start');
onTerm = () => server.close(() => { note('stop'); rmSync('kept/running', { force: true }); process.exit(0); });
${extra}
`,
  );

/** What the copies of a service have written down, in order. */
export function witnessed(system: System, project: string, service = 'api'): string[] {
  const file = join(system.paths.projects, project, 'development', service, 'kept', 'seen');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}
