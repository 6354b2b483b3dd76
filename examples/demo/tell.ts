import { createStyle, showsUnicode, type Style } from '../../src/cli/screen/style.ts';

/** How a demo speaks: to a person on a terminal, into a file, or not at all (`--json`). */
export interface Tell {
  style: Style;
  say(text?: string): void;
  /** On a terminal a line that the next one takes the place of; elsewhere nothing. Empty: it goes. */
  live(text: string): void;
}

export function openTell({ quiet }: { quiet: boolean }): Tell {
  const { stdout, env } = process;
  const terminal = stdout.isTTY && env['TERM'] !== 'dumb';
  const style = createStyle({
    color: terminal && (env['NO_COLOR'] ?? '') === '',
    unicode: terminal && showsUnicode(env),
  });
  let drawn = false;
  const wipe = (): void => {
    if (drawn) stdout.write('\r\u001b[2K');
    drawn = false;
  };
  return {
    style,
    say(text = '') {
      if (quiet) return;
      wipe();
      stdout.write(`${text}\n`);
    },
    live(text) {
      if (quiet || !terminal) return;
      wipe();
      if (text === '') return;
      stdout.write(text.slice(0, (stdout.columns ?? 80) - 1));
      drawn = true;
    },
  };
}

/** The first column to the left, the second to the right, the third as it is. */
export function columns(rows: readonly (readonly [string, string, string])[]): string {
  const [first = 0, second = 0] = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(([what, value, note]) => `  ${what.padEnd(first)}  ${value.padStart(second)}  ${note}`.trimEnd())
    .join('\n');
}
