import { DockerfileParser } from 'dockerfile-ast';

/** One instruction, its continued lines joined; variables are not yet replaced in it. */
export interface Instruction {
  /** From 1. */
  line: number;
  /** In capitals. */
  keyword: string;
  flags: Record<string, string>;
  /** All after the flags. */
  text: string;
  /** The list, when it is written as one: `["node", "main.js"]`. */
  exec: string[] | null;
  heredocs: { name: string; text: string }[];
}

export class DockerfileError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Throws a DockerfileError for what nobody could build. */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text.split('\n');
  const parsed = DockerfileParser.parse(text).getInstructions();
  if (parsed.length === 0) throw new DockerfileError(1, 'the Dockerfile has no instructions');
  const instructions = parsed.map((each): Instruction => {
    const line = each.getRange().start.line + 1;
    const flags: Record<string, string> = {};
    if ('getFlags' in each && typeof each.getFlags === 'function') {
      for (const flag of each.getFlags() as { getName(): string; getValue(): string | null }[])
        flags[flag.getName()] = flag.getValue() ?? 'true';
    }
    const heredocs = 'getHeredocs' in each ? (each as unknown as { getHeredocs(): Heredoc[] }).getHeredocs() : [];
    const raw = each.getRawArgumentsContent() ?? '';
    const content = heredocs.length > 0 ? (raw.split('\n')[0] ?? '') : joinContinued(raw);
    return {
      line,
      keyword: each.getKeyword().toUpperCase(),
      flags,
      text: content,
      exec: execForm(content),
      heredocs: heredocs.map((here) => ({ name: here.getName(), text: within(lines, here.getContentRange()) })),
    };
  });
  const first = instructions.find(({ keyword }) => keyword !== 'ARG');
  if (first?.keyword !== 'FROM')
    throw new DockerfileError(
      first?.line ?? 1,
      'no build stage in current context: the first instruction must be FROM',
    );
  return instructions;
}

interface Heredoc {
  getName(): string;
  getContentRange(): { start: { line: number }; end: { line: number } } | null;
}

const within = (lines: string[], range: { start: { line: number }; end: { line: number } } | null): string =>
  range === null ? '' : `${lines.slice(range.start.line, range.end.line + 1).join('\n')}\n`;

/** Comments between continued lines belong to nobody. */
const joinContinued = (raw: string): string =>
  raw
    .split('\n')
    .filter((line, index) => index === 0 || !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\[ \t]*\r?\n/g, '')
    .trim();

function execForm(text: string): string[] | null {
  if (!text.startsWith('[')) return null;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((each) => typeof each === 'string') ? list : null;
  } catch {
    return null; // Docker takes it for a command of the shell then, too
  }
}

/** Splits at blanks outside of quotes, and takes the quotes away. */
export function words(text: string): string[] {
  const found: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (char === '\\' && quote !== "'" && at + 1 < text.length) word = (word ?? '') + (text[++at] as string);
    else if (quote !== null) {
      if (char === quote) quote = null;
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== null) found.push(word);
      word = null;
    } else word = (word ?? '') + char;
  }
  if (word !== null) found.push(word);
  return found;
}

/** `A=1 B="two words"`, and the old `A the rest`, of ENV, ARG and LABEL. A name without a value has null. */
export function assignments(text: string): [name: string, value: string | null][] {
  const parts = words(text);
  const [first = ''] = parts;
  if (!first.includes('=') && parts.length > 1) return [[first, text.slice(text.indexOf(first) + first.length).trim()]];
  return parts.map((part) => {
    const equals = part.indexOf('=');
    return equals === -1 ? [part, null] : [part.slice(0, equals), part.slice(equals + 1)];
  });
}

/** Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`; what is unknown becomes empty. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(
    /\\\$|\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?([-+])([^}]*))?\})/g,
    (all, plain: string | undefined, braced: string | undefined, kind: string | undefined, other: string = '') => {
      if (all === '\\$') return '$';
      const value = values[plain ?? braced ?? ''] ?? '';
      if (kind === '-') return value === '' ? expand(other, values) : value;
      if (kind === '+') return value === '' ? '' : expand(other, values);
      return value;
    },
  );
}
