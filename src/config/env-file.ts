import { problemAt } from './problem.ts';
import type { Problem } from './problem.ts';

export interface EnvFileReading {
  /** The last of two equal names wins, as in a shell. */
  values: Map<string, string>;
  problems: Problem[];
}

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*(.*)$/;
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' };

/**
 * `NAME=value` lines: `export`, comments, `'as it is'`, `"with \n escapes, over several lines"`. Nothing is filled in:
 * a value is text. Problems name the line and never the value.
 */
export function parseEnvFile(content: string, file: string): EnvFileReading {
  const lines = content.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const values = new Map<string, string>();
  const problems: Problem[] = [];
  const complain = (index: number, message: string, hint: string): void => {
    problems.push(problemAt({ file, line: index + 1, column: 1 }, [], { code: 'env-file', message, hint }));
  };
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const match = ASSIGNMENT.exec(line);
    if (match === null) {
      complain(
        index,
        'this line is not NAME=value',
        'a name has letters, digits and underscores; comments start with #',
      );
      continue;
    }
    const name = match[1] ?? '';
    const rest = match[2] ?? '';
    const quote = rest[0];
    if (quote !== '"' && quote !== "'") {
      values.set(name, rest.replace(/(^|\s)#.*$/, '').trim());
      continue;
    }
    const quoted = readQuoted(lines, index, rest.slice(1), quote);
    if (quoted === null) {
      complain(index, `the quote of \`${name}\` is not closed`, `end the value with ${quote}`);
      continue;
    }
    if (!/^\s*(#.*)?$/.test(quoted.after)) {
      complain(quoted.lastLine, `something follows the closing quote of \`${name}\``, 'put it inside the quotes');
    }
    values.set(name, quoted.value);
    index = quoted.lastLine;
  }
  return { values, problems };
}

function readQuoted(
  lines: readonly string[],
  start: number,
  first: string,
  quote: string,
): { value: string; after: string; lastLine: number } | null {
  let value = '';
  let current = first;
  for (let index = start; ;) {
    for (let at = 0; at < current.length; at++) {
      const char = current[at] ?? '';
      if (char === quote) return { value, after: current.slice(at + 1), lastLine: index };
      if (char === '\\' && quote === '"') {
        const escaped = current[at + 1] ?? '';
        value += ESCAPES[escaped] ?? `\\${escaped}`;
        at++;
      } else {
        value += char;
      }
    }
    index++;
    const next = lines[index];
    if (next === undefined) return null;
    value += '\n';
    current = next;
  }
}
