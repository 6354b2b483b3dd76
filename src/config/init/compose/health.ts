import { httpPathIn } from '../from-dockerfile.ts';
import { isMap, listOf, scalarText } from './model.ts';
import type { ComposeContext, ComposeService } from './model.ts';

/** In the words of `health`; times as written in the file. */
export interface DraftHealth {
  path: string;
  grace?: string;
  deadline?: string;
  timeout?: string;
}

/** A healthcheck that asks a path over HTTP. Everything else about it is named. */
export function healthOf(
  { name, raw }: ComposeService,
  imagePath: string | null,
  { note }: ComposeContext,
): DraftHealth | null {
  const check = raw['healthcheck'];
  if (check === undefined || check === null) return imagePath === null ? null : { path: imagePath };
  if (!isMap(check)) {
    note(`the healthcheck of \`${name}\` cannot be read`);
    return null;
  }
  const test = listOf(check['test']).flatMap((word) => scalarText(word) ?? []);
  if (check['disable'] === true || check['disable'] === 'true' || test[0] === 'NONE') {
    note(`the healthcheck of \`${name}\` is switched off; evenkeel still waits until its port accepts connections`);
    return null;
  }
  const path = test.length === 0 ? imagePath : httpPathIn(test.join(' ').replaceAll(`//${name}:`, '//localhost:'));
  if (path === null) {
    note(
      `the healthcheck of \`${name}\` is no http request; give it a path under \`health\`, or a command under \`check\``,
    );
    return null;
  }
  const unused = ['interval', 'retries', 'start_interval'].filter((key) => check[key] !== undefined);
  if (unused.length > 0)
    note(
      `\`${unused.join('`, `')}\` of the healthcheck of \`${name}\`: evenkeel asks every 2s and wants two answers in a row`,
    );
  return { path, ...timesOf(name, check, note) };
}

function timesOf(name: string, check: Readonly<Record<string, unknown>>, note: (text: string) => void) {
  const times: Omit<DraftHealth, 'path'> = {};
  const start = durationOf(check['start_period']);
  const timeout = durationOf(check['timeout']);
  for (const [key, value] of [
    ['start_period', start],
    ['timeout', timeout],
  ] as const)
    if (check[key] !== undefined && value === null)
      note(`\`${key}\` of the healthcheck of \`${name}\` is no time, and is left out`);
  if (start !== null && start > 0) {
    times.grace = written(start);
    // Healthy within a minute is the default, and counts from the start.
    if (start >= 30_000) times.deadline = written(start + 60_000);
  }
  if (timeout !== null && timeout >= 10) times.timeout = written(timeout);
  return times;
}

const UNITS: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `1m30s`, `1.5s`, `500ms`, or seconds -> milliseconds; null when it is none. */
export function durationOf(value: unknown): number | null {
  const text = scalarText(value)?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(us|ms|s|m|h))+$/.test(text)) return null;
  let total = 0;
  for (const [, amount = '0', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h)/g)) {
    total += Number(amount) * (UNITS[unit] ?? 0);
  }
  return Math.round(total);
}

/** As the file has it. */
export function written(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
