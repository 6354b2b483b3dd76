import type { Anchor, AuditContent, AuditEntry } from './entry.ts';

/** A cryptographic digest of a text, in hexadecimal. */
export type Digest = (text: string) => string;

/** What the first entry names as the hash before it. */
export const GENESIS = '0'.repeat(64);

/** In this order for ever: a hash is over it. Names the form, so that another one can follow. */
const FORM = 'evenkeel-audit-1';
const FIELDS = [
  'id',
  'at',
  'kind',
  'about',
  'identity',
  'who',
  'source',
  'operation',
  'organization',
  'project',
  'environment',
  'service',
  'rollout',
  'result',
  'code',
  'detail',
] as const satisfies readonly (keyof AuditContent)[];
true satisfies [Exclude<keyof AuditContent, (typeof FIELDS)[number]>] extends [never] ? true : false;

/** The text that an entry's hash is over: an array, in which no value can pass for two, or for its neighbour. */
const canonical = (entry: Omit<AuditEntry, 'hash'>): string =>
  JSON.stringify([FORM, entry.seq, entry.former, ...FIELDS.map((field) => entry[field])]);

export const hashOf = (entry: Omit<AuditEntry, 'hash'>, digest: Digest): string => digest(canonical(entry));

/** The entry that follows `before`; null: it is the first. */
export function link(before: Anchor | null, content: AuditContent, digest: Digest): AuditEntry {
  const entry = { ...asStored(content), seq: (before?.seq ?? 0) + 1, former: before?.hash ?? GENESIS };
  return { ...entry, hash: hashOf(entry, digest) };
}

/** As every database gives it back: none keeps a NUL in text or half of a pair, and the hash must be over what is kept. */
function asStored(content: AuditContent): AuditContent {
  const kept = Object.entries(content).map(([field, value]: [string, unknown]) => [
    field,
    typeof value === 'string' ? value.replaceAll('\0', '\uFFFD').toWellFormed() : value,
  ]);
  return Object.fromEntries(kept) as AuditContent;
}
