import { parseDuration } from './duration.ts';

/** `10/s`, `100/m`, `600/10m`; null for anything else. */
export function parseRate(text: string): { requests: number; perMs: number } | null {
  const [, requests = '', count = '', unit = ''] =
    /^\s*([1-9]\d{0,5})\s*\/\s*(\d*)\s*(ms|s|m|h|d)\s*$/.exec(text) ?? [];
  if (requests === '') return null;
  const perMs = parseDuration(`${count === '' ? '1' : count}${unit}`);
  return perMs === null || perMs === 0 ? null : { requests: Number(requests), perMs };
}
