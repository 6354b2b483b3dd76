import type { CloudAct } from '../../api/contract/cloud/run.ts';

interface ActWords {
  now: string;
  done: string;
  plain: string;
}

const ACT_WORDS: Readonly<Record<CloudAct, ActWords>> = {
  create: { now: 'creating', done: 'created', plain: 'create' },
  update: { now: 'updating', done: 'updated', plain: 'update' },
  replace: { now: 'replacing', done: 'replaced', plain: 'replace' },
  remove: { now: 'deleting', done: 'deleted', plain: 'delete' },
  start: { now: 'starting', done: 'started', plain: 'start' },
  stop: { now: 'stopping', done: 'stopped', plain: 'stop' },
};

/** An API is neither made nor deleted: somebody switches it. */
const API_WORDS: Partial<Record<CloudAct, ActWords>> = {
  create: { now: 'enabling', done: 'enabled', plain: 'enable' },
  remove: { now: 'disabling', done: 'disabled', plain: 'disable' },
};

/** How an act is called while it goes on, and when it is done. */
export const wordsOf = ({ act, address }: { act: CloudAct; address: string }): ActWords =>
  (address.startsWith('api/') ? API_WORDS[act] : undefined) ?? ACT_WORDS[act];

/** `5-10 min`, `2-10 s`: how long something usually takes. */
export function usually({ fromS, toS }: { fromS: number; toS: number }): string {
  if (toS <= 90) return fromS === toS ? `${toS} s` : `${fromS}-${toS} s`;
  const [from, to] = [Math.max(1, Math.round(fromS / 60)), Math.max(1, Math.round(toS / 60))];
  return from === to ? `${to} min` : `${from}-${to} min`;
}

/** A value of an attribute as a person reads it. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueText).join(', ');
  if (typeof value === 'object' && Object.keys(value).length === 0) return 'none';
  if (typeof value === 'object')
    return `{ ${Object.entries(value)
      .map(([key, each]) => `${key} ${valueText(each)}`)
      .join(', ')} }`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `pointInTime` as `point in time`. */
export const attributeText = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
