import type { Findings } from '../draft.ts';
import type { FolderReader } from '../folder-reader.ts';

/** A map as it was written, with nothing known about its values. */
export type Raw = Readonly<Record<string, unknown>>;

/** A service of a compose file: files put together, `extends` followed, paths relative to the project's root. */
export interface ComposeService {
  name: string;
  raw: Raw;
}

/** What the parts of a compose file are read with. */
export interface ComposeContext {
  /** Its name, for notes. */
  file: string;
  reader: FolderReader;
  /** The variables of `.env`, from which compose and evenkeel both fill `${...}`. */
  known: ReadonlyMap<string, string>;
  findings: Findings;
  /** Names something that is not carried over, or that is to be looked at. */
  note: (text: string) => void;
}

export function isMap(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text, number or yes/no as text; null for anything else. */
export function scalarText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

/** `[A=b, C]` or `{ A: b, C: }` -> pairs; null is a value that was not written. */
export function pairsOf(value: unknown): [string, string | null][] {
  if (isMap(value)) return Object.entries(value).map(([name, each]) => [name, scalarText(each)]);
  return listOf(value).flatMap((each): [string, string | null][] => {
    const line = scalarText(each);
    if (line === null) return [];
    const equals = line.indexOf('=');
    return [equals === -1 ? [line, null] : [line.slice(0, equals), line.slice(equals + 1)]];
  });
}

/** Names in a list or the keys of a map. */
export function namesOf(value: unknown): string[] {
  return isMap(value) ? Object.keys(value) : listOf(value).flatMap((each) => scalarText(each) ?? []);
}

/** `a`, `b` and `c`, as code. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

const SECRET = /PASS(WORD|WD|PHRASE)?$|SECRET|TOKEN|(^|_)KEY$|CREDENTIAL|PRIVATE/i;

/** Whether a variable of this name, or with this value, is better kept encrypted. */
export function looksSecret(name: string, value: string | null = null): boolean {
  return SECRET.test(name) || /:\/\/[^\s/@:]*:[^\s/@]+@/.test(value ?? '');
}

/** Declares a secret and answers how it is used; `secrets set` takes capitals only. */
export function useSecret(name: string, findings: Findings): string {
  const secret = name.toUpperCase().replace(/^[^A-Z]+/, '') || 'SECRET';
  if (!findings.secrets.includes(secret)) findings.secrets.push(secret);
  return `\${${secret}}`;
}
