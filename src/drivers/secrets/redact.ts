import { readKey } from './key-file.ts';
import { readSecretsFile } from './secrets-file.ts';
import { unseal } from './seal.ts';

/** Shorter values would be found in innocent words. */
const SHORTEST = 6;
/** Of values with several lines each line is looked for, unless it is as short as the last one of a key. */
const SHORTEST_LINE = 12;

const CENSORED = '•••';

/**
 * Takes the values of all stored secrets out of what a program said, before it becomes part of a message: programs that
 * fail like to print what they could not connect to. Says nothing of it when the secrets cannot be read. Never rejects.
 */
export function secretsRedactor(options: { file: string; keyFile: string }): (text: string) => Promise<string> {
  return async (text) => {
    if (text === '') return text;
    try {
      let told = text;
      for (const value of (await valuesOf(options)).flatMap(formsOf).toSorted((a, b) => b.length - a.length))
        told = told.replaceAll(value, CENSORED);
      return told;
    } catch {
      return '(not shown: it could hold secrets, and those cannot be read; the log has it)';
    }
  };
}

async function valuesOf({ file, keyFile }: { file: string; keyFile: string }): Promise<string[]> {
  const stored = await readSecretsFile(file);
  if (stored === null || stored.secrets.length === 0) return [];
  const key = await readKey(keyFile);
  if (key === null) throw new Error('the key is missing');
  return stored.secrets.map((each) => {
    const value = unseal(key, each, each.sealed);
    if (value === null) throw new Error(`${each.name} cannot be opened`);
    return value;
  });
}

/** As it is, and as it looks within an address or a JSON document. */
function formsOf(value: string): string[] {
  const whole = [value, value.trim(), encodeURIComponent(value), JSON.stringify(value).slice(1, -1)];
  const lines = value.split(/\r?\n/);
  return [
    ...whole.filter((form) => form.length >= SHORTEST),
    ...(lines.length === 1 ? [] : lines.filter((line) => line.length >= SHORTEST_LINE)),
  ];
}
