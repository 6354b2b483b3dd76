import { text } from 'node:stream/consumers';
import type { CliDeps } from './deps.ts';
import { interruptible, type Interrupt } from './interrupt.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const BACKSPACE = /[\u007f\b]/;

/** One typed line, or null when the input ended before. Throws `Interrupted`. */
export async function readLine({ stdin }: Pick<CliDeps, 'stdin'>, { signal }: Interrupt): Promise<string | null> {
  const read = async (): Promise<string | null> => {
    let line = '';
    for await (const chunk of stdin) {
      line += String(chunk);
      const end = line.indexOf('\n');
      if (end !== -1) return line.slice(0, end);
    }
    return line === '' ? null : line;
  };
  return interruptible(signal, read());
}

/**
 * A typed line that the terminal does not show; null when it was given up with Ctrl-C or Ctrl-D. The terminal is as it
 * was afterwards, also when a signal ends it, which throws `Interrupted`.
 */
export async function readHidden(
  { stdin, stderr }: Pick<CliDeps, 'stdin' | 'stderr'>,
  { signal }: Interrupt,
  prompt: string,
): Promise<string | null> {
  stderr.write(prompt);
  stdin.setRawMode?.(true);
  try {
    return await interruptible(signal, typed(stdin));
  } finally {
    stdin.setRawMode?.(false);
    stderr.write('\n');
  }
}

async function typed(stdin: CliDeps['stdin']): Promise<string | null> {
  let value = '';
  for await (const chunk of stdin) {
    for (const char of String(chunk)) {
      if (char === '\r' || char === '\n') return value;
      if (char === CTRL_C || char === CTRL_D) return null;
      value = BACKSPACE.test(char) ? Array.from(value).slice(0, -1).join('') : value + char;
    }
  }
  return value;
}

/** All of the standard input. */
export function readAll({ stdin }: Pick<CliDeps, 'stdin'>, { signal }: Interrupt): Promise<string> {
  return interruptible(signal, text(stdin as AsyncIterable<Uint8Array>));
}
