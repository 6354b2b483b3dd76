/**
 * Changes values in the text of an environment file and nothing else: comments, order, blank lines, quotes of others, line
 * ends and what it does not understand stay as they are.
 */

export interface EnvTextChange {
  text: string;
  /** Names whose value was changed or added, in the order given. */
  changed: string[];
}

interface Assignment {
  /** From the first line to the one with the closing quote, both included. */
  first: number;
  last: number;
  name: string;
  /** All before the value. */
  head: string;
  /** Behind the value: blanks and a comment. */
  tail: string;
  value: string;
}

/** A name that is not there yet comes at the end, under `heading` (a comment, without `#`) when that is not there either. */
export function setInEnvText(
  text: string,
  values: Readonly<Record<string, string>>,
  { heading }: { heading: string },
): EnvTextChange {
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = text.split(/\r?\n/);
  // A file that ends as it should has an empty piece behind its last line.
  const whole = lines.at(-1) === '';
  if (whole) lines.pop();
  const assignments = assignmentsIn(lines);
  const changed: string[] = [];
  const added: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (!NAME.test(name)) throw new RangeError(`${name} is no name of a variable`);
    const own = assignments.filter((each) => each.name === name);
    if (own.length === 0) added.push(`${name}=${written(value)}`);
    if (own.length === 0 || own.some((each) => each.value !== value)) changed.push(name);
  }
  if (changed.length === 0) return { text, changed };
  const kept = lines.map((line): string | null => line);
  for (const { first, last, name, head, tail, value } of assignments) {
    const wanted = Object.hasOwn(values, name) ? values[name] : undefined;
    // Every one of several, since readers disagree on which of them counts.
    if (wanted === undefined || wanted === value) continue;
    kept.fill(null, first, last + 1);
    kept[first] = `${head}${written(wanted)}${tail.startsWith('#') ? ' ' : ''}${tail}`;
  }
  const result = kept.filter((line) => line !== null);
  if (added.length > 0) result.push(...underHeading(result, heading), ...added);
  // A file without an end keeps it so, unless something was put behind its last line.
  return { text: `${result.join(end)}${whole || added.length > 0 ? end : ''}`, changed };
}

function underHeading(lines: readonly string[], heading: string): string[] {
  const line = `# ${heading}`;
  if (lines.some((each) => each.trim() === line)) return [];
  const apart = lines.length > 0 && lines.at(-1)?.trim() !== '';
  return apart && lines.some((each) => each.replace(/^\uFEFF/, '') !== '') ? ['', line] : [line];
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const START = /^(\uFEFF?\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*)(.*)$/;

function assignmentsIn(lines: readonly string[]): Assignment[] {
  const found: Assignment[] = [];
  for (let index = 0; index < lines.length; index++) {
    const [, head, name, rest = ''] = START.exec(lines[index] ?? '') ?? [];
    if (head === undefined || name === undefined) continue;
    const quote = rest[0];
    if (quote !== '"' && quote !== "'") {
      const [, value = '', tail = ''] = /^(.*?)(\s*|(?:^|\s+)#.*)$/.exec(rest) ?? [];
      found.push({ first: index, last: index, name, head, tail, value });
      continue;
    }
    const quoted = quotedFrom(lines, index, rest.slice(1), quote);
    // A quote that is never closed: what it holds is anybody's guess, and so is left alone.
    if (quoted === null) continue;
    found.push({ first: index, name, head, ...quoted });
    index = quoted.last;
  }
  return found;
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' };

function quotedFrom(
  lines: readonly string[],
  first: number,
  begin: string,
  quote: string,
): Pick<Assignment, 'last' | 'tail' | 'value'> | null {
  let value = '';
  let line: string | undefined = begin;
  for (let last = first; line !== undefined; line = lines[++last]) {
    if (last > first) value += '\n';
    for (let at = 0; at < line.length; at++) {
      const char = line[at] ?? '';
      if (char === quote) return { last, tail: line.slice(at + 1), value };
      if (char === '\\' && quote === '"') {
        const next = line[++at] ?? '';
        value += ESCAPES[next] ?? `\\${next}`;
      } else value += char;
    }
  }
  return null;
}

/** As it is where every reader takes it so, else between quotes. */
function written(value: string): string {
  if (/^[\w:/.@%+,~?&=;-]*$/.test(value)) return value;
  const escaped = value
    .replaceAll(/["\\$]/g, String.raw`\$&`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
  return `"${escaped.replaceAll('\t', '\\t')}"`;
}
