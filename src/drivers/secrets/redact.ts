import { statSync } from 'node:fs';
import { readKey } from './key-file.ts';
import { unseal } from './seal.ts';
import { formsOf } from './secret-forms.ts';
import { placeOf, readSecretsFile } from './secrets-file.ts';

const CENSORED = '•••';
const NOT_SHOWN = '(not shown: it could hold secrets, and those cannot be read; the log has it)';

/**
 * Takes the values of all stored secrets, former ones too, out of what a program said, before it becomes part of a
 * message, or is shown: programs that fail like to print what they could not connect to. Says nothing of it when the
 * secrets cannot be read. Never rejects.
 */
export function secretsRedactor(options: { file: string; keyFile: string }): (text: string) => Promise<string> {
  // Reading and opening them all for every line of a log would take longer than everything else.
  let known: { stamp: string; pattern: Promise<RegExp | null> } | null = null;
  return async (text) => {
    if (text === '') return text;
    try {
      const stamp = `${stampOf(options.file)} ${stampOf(options.keyFile)}`;
      if (known?.stamp !== stamp) known = { stamp, pattern: patternOf(options) };
      const pattern = await known.pattern;
      return pattern === null ? text : text.replaceAll(pattern, CENSORED);
    } catch {
      known = null;
      return NOT_SHOWN;
    }
  };
}

/** Another one whenever the file was replaced; every change of the secrets does that. */
function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? 'absent' : `${stats.ino} ${stats.ctimeNs} ${stats.size} ${stats.mode}`;
}

/** The longest first: of two that overlap, nothing of the longer one is left. Null without any. */
async function patternOf(options: { file: string; keyFile: string }): Promise<RegExp | null> {
  const forms = (await valuesOf(options)).flatMap(formsOf).toSorted((a, b) => b.length - a.length);
  return forms.length === 0 ? null : new RegExp(forms.map((form) => escaped(form)).join('|'), 'g');
}

async function valuesOf({ file, keyFile }: { file: string; keyFile: string }): Promise<string[]> {
  const stored = await readSecretsFile(file);
  if (stored === null || stored.secrets.length + stored.former.length === 0) return [];
  const key = await readKey(keyFile);
  if (key === null) throw new Error('the key is missing');
  return [...stored.secrets, ...stored.former].map((each) => {
    const value = unseal(key, placeOf(each), each.sealed);
    if (value === null) throw new Error(`${each.name} cannot be opened`);
    return value;
  });
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
