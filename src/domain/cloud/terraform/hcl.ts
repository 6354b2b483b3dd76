/**
 * Writes HCL as `terraform fmt` would leave it, so that an export that is checked in makes no noise when somebody formats
 * it. Values are written as data: nothing in a name or label is ever read as an expression.
 */

const RAW = Symbol('an expression');

/** An expression that is written as it is: a reference, a call. */
export interface Raw {
  readonly [RAW]: string;
}

export type Hcl = string | number | boolean | null | Raw | readonly Hcl[] | { readonly [key: string]: Hcl };

export type Item =
  | { readonly attribute: string; readonly value: Hcl }
  | { readonly block: string; readonly labels: readonly string[]; readonly body: Body }
  | { readonly comment: string };

/** `false` is left out, so that a part may be written as `condition && block(…)`. */
export type Body = readonly (Item | false)[];

export const raw = (expression: string): Raw => ({ [RAW]: expression });

/** Text with expressions filled in. */
export const interpolated = (...parts: readonly (string | Raw)[]): Raw =>
  raw(`"${parts.map((part) => (typeof part === 'string' ? quoted(part).slice(1, -1) : `\${${part[RAW]}}`)).join('')}"`);

export const set = (attribute: string, value: Hcl): Item => ({ attribute, value });

export const block = (type: string, body: Body, ...labels: string[]): Item => ({ block: type, labels, body });

export const comment = (text: string): Item => ({ comment: text });

const isRaw = (value: Hcl): value is Raw => typeof value === 'object' && value !== null && RAW in value;

/** A file: items apart by an empty line, with one line end at the end. */
export const writeHcl = (body: Body): string => {
  const items = present(body);
  return items.length === 0 ? '' : `${lines(items).join('\n')}\n`;
};

const present = (body: Body): Item[] => body.filter((item) => item !== false);

const indented = (text: readonly string[]): string[] => text.map((line) => (line === '' ? '' : `  ${line}`));

function lines(items: readonly Item[]): string[] {
  const written: string[] = [];
  let run: { name: string; value: string }[] = [];
  const endRun = (): void => {
    const width = Math.max(...run.map(({ name }) => name.length));
    written.push(...run.map(({ name, value }) => `${name.padEnd(width)} = ${value}`));
    run = [];
  };
  items.forEach((item, index) => {
    if ('attribute' in item) {
      const [first = '', ...rest] = valueLines(item.value);
      // Only neighbours of one line each have their signs below one another.
      if (rest.length === 0) {
        run.push({ name: item.attribute, value: first });
        return;
      }
      if (run.length > 0) endRun();
      written.push(`${item.attribute} = ${first}`, ...rest);
      return;
    }
    if (run.length > 0) endRun();
    const before = items[index - 1];
    if (before !== undefined && !('comment' in before)) written.push('');
    if ('comment' in item) written.push(...item.comment.split('\n').map((line) => (line === '' ? '#' : `# ${line}`)));
    else written.push(...blockLines(item.block, item.labels, present(item.body)));
    const after = items[index + 1];
    if (!('comment' in item) && after !== undefined && 'attribute' in after) written.push('');
  });
  if (run.length > 0) endRun();
  return written;
}

function blockLines(type: string, labels: readonly string[], items: readonly Item[]): string[] {
  const head = [type, ...labels.map(quoted)].join(' ');
  return items.length === 0 ? [`${head} {}`] : [`${head} {`, ...indented(lines(items)), '}'];
}

/** Longer lists have one line for each element. */
const LIST_WIDTH = 80;

/** The first line goes behind the `=`. */
function valueLines(value: Hcl): string[] {
  if (typeof value === 'string') return [quoted(value)];
  if (typeof value !== 'object' || value === null) return [number(value)];
  if (isRaw(value)) return value[RAW].split('\n');
  if (Array.isArray(value)) return listLines(value as readonly Hcl[]);
  const entries = Object.entries(value as { readonly [key: string]: Hcl });
  if (entries.length === 0) return ['{}'];
  return ['{', ...indented(lines(entries.map(([key, each]) => set(keyOf(key), each)))), '}'];
}

function listLines(values: readonly Hcl[]): string[] {
  const elements = values.map(valueLines);
  const inOne = `[${elements.map(([first]) => first).join(', ')}]`;
  if (elements.every((each) => each.length === 1) && inOne.length <= LIST_WIDTH) return [inOne];
  return ['[', ...elements.flatMap((each) => indented([...each.slice(0, -1), `${each.at(-1) ?? ''},`])), ']'];
}

function number(value: number | boolean | null): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`HCL has no ${value}`);
  return String(value).replace('e+', 'e');
}

const WORDS = new Set(['true', 'false', 'null', 'for', 'if', 'in', 'else', 'endif', 'endfor']);

const keyOf = (key: string): string => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !WORDS.has(key) ? key : quoted(key));

const ESCAPES: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A string between quotes, in which nothing is filled in. */
export function quoted(text: string): string {
  return `"${text
    .replaceAll(/[\\"\n\r\t]/g, (char) => ESCAPES[char] ?? char)
    .replaceAll(/\p{Cc}|\p{Zl}|\p{Zp}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll(/[$%](?=\{)/g, (sign) => `${sign}${sign}`)}"`;
}

/** Every expression in a body or value; text is none, whatever it looks like. */
export function expressionsIn(value: Body | Item | Hcl): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.getOwnPropertySymbols(value).map((symbol) => String(Reflect.get(value, symbol)));
  return [...own, ...Object.values(value).flatMap((each) => expressionsIn(each as Hcl))];
}
