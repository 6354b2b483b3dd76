import { listToCommand, quoteWord } from '../from-dockerfile.ts';
import { interpolate, resolved } from './interpolate.ts';
import { scalarText } from './model.ts';
import type { ComposeContext } from './model.ts';

/** `entrypoint` or `command`, as a line for the shell; null when it says nothing. */
export function commandIn(written: unknown, where: string, context: ComposeContext): string | null {
  if (Array.isArray(written)) {
    const words = written.flatMap((word: unknown) => scalarText(word) ?? []);
    const [shell = '', option = '', script = ''] = words;
    const inShell = words.length === 3 && listToCommand([shell, option, 'x']) === 'x';
    if (inShell) return unlessEmpty(interpolate(script, where, context, true).trim(), where, context);
    return unlessEmpty(words.map((word) => wordOf(word, where, context)).join(' '), where, context);
  }
  const text = scalarText(written);
  return text === null ? null : unlessEmpty(interpolate(text, where, context, true).trim(), where, context);
}

/** A line that is nothing but variables without a value would be a draft that cannot be loaded. */
function unlessEmpty(line: string, where: string, { known, findings, note }: ComposeContext): string | null {
  if (line === '' || resolved(line, known).trim() !== '' || secretsIn(line, findings.secrets).length > 0)
    return line || null;
  note(`${where} is empty unless its variables are set: write what it runs`);
  return null;
}

/** No shell reads the words of a list, so they are quoted; only a secret is found by the shell, in the environment. */
function wordOf(word: string, where: string, context: ComposeContext): string {
  const filled = interpolate(word, where, context, true);
  const holdsSecret = !word.includes('$$') && context.findings.secrets.some((name) => filled.includes(`$${name}`));
  return holdsSecret ? `"${filled.replaceAll(/["\\`]/g, String.raw`\$&`)}"` : quoteWord(filled);
}

/** The secrets that a command expects in its environment. */
export function secretsIn(command: string, secrets: readonly string[]): string[] {
  return secrets.filter((name) => new RegExp(String.raw`\$${name}\b`).test(command));
}

/** Says that a command names the port on which it listens, where the port of the instance belongs. */
export function fixedPort(command: string): string | null {
  if (/\$\{?PORT\b/.test(command)) return null;
  const flag = /(?:^|\s)(?:-p|-b|--port|--bind|--listen|--http-port)(?:\s+|=)(?:[\w.*[\]:]*:)?(\d{2,5})\b/.exec(
    command,
  );
  const address = /\b(?:0\.0\.0\.0|127\.0\.0\.1|localhost):(\d{2,5})\b/.exec(command);
  return flag?.[1] ?? address?.[1] ?? null;
}
