import type { CliDeps } from './deps.ts';
import { createStyle, showsUnicode, type Style } from './screen/style.ts';
import { wrap } from './screen/text.ts';

/** Where results go: text for people, or one JSON document (one line per event when following). */
export interface Output {
  style: Style;
  /** Results are JSON; what is said to people is left out. */
  json: boolean;
  /** A person looks at it: colours, symbols and redrawing make sense. */
  terminal: boolean;
  /** Cells of a line; Infinity when nobody's screen sets a limit. */
  columns(): number;
  /** Lines for people, on standard output. */
  line(...lines: readonly string[]): void;
  /** A sentence for people, wrapped to the screen, each further line indented by `indent`. */
  prose(text: string, indent?: number): void;
  /** A remark for people that is not the result, on standard error, also with `--json`. */
  remark(text: string): void;
  /** A result for programs: one line while following, else the one document. Nothing unless `--json`. */
  data(value: unknown): void;
}

export function createOutput(
  { stdout, stderr, env }: Pick<CliDeps, 'stdout' | 'stderr' | 'env'>,
  options: { json: boolean; color: boolean },
): Output {
  const terminal = stdout.isTTY === true && !options.json && env['TERM'] !== 'dumb';
  const style = createStyle({ color: terminal && options.color, unicode: terminal && showsUnicode(env) });
  const columns = (): number => (terminal ? Math.max(40, stdout.columns ?? 80) : Infinity);
  const line = (...lines: readonly string[]): void => {
    if (!options.json) for (const each of lines) stdout.write(`${each}\n`);
  };
  return {
    style,
    json: options.json,
    terminal,
    columns,
    line,
    prose: (text, indent = 0) => {
      const [first = '', ...rest] = wrap(text, Math.min(columns(), 110) - indent);
      line(first, ...rest.map((each) => ' '.repeat(indent) + each));
    },
    remark: (text) => void stderr.write(`${text}\n`),
    data: (value) => {
      if (options.json) stdout.write(`${JSON.stringify(value)}\n`);
    },
  };
}

/** Colours unless the user does not want them; see no-color.org. */
export function wantsColor(env: CliDeps['env'], noColorGiven: boolean): boolean {
  return !noColorGiven && (env['NO_COLOR'] ?? '') === '';
}
