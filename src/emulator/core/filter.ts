import { isObject, written } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { invalid } from './google-error.ts';

/** Whether a row fits a filter. */
export type Fits = (row: JsonObject) => boolean;

/**
 * Reads a filter of the APIs' language as far as it is used: comparisons (`= != < <= > >= : =~ !~`) joined by AND (which
 * may be left out), OR and NOT (or `-`), in parentheses; `one_of("a", "b")`, `starts_with("a")`, `has_substring("a")` as
 * values; a bare word is searched everywhere. Throws 400 for what it cannot read.
 */
export function filterOf(text: string | undefined): Fits {
  if (text === undefined || text.trim() === '') return () => true;
  return new Parser(tokens(text)).whole();
}

interface Token {
  kind: 'word' | 'text' | 'operator' | 'open' | 'close' | 'comma';
  text: string;
}

const TOKEN =
  /\s*(?:--[^\n]*\n?)?\s*(?:(<=|>=|!=|=~|!~|=|<|>|:)|(\()|(\))|(,)|"((?:[^"\\]|\\.)*)"|((?:[\w\-./*@+%#$]|\."(?:[^"\\]|\\.)*")+))/y;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length && text.slice(TOKEN.lastIndex).trim() !== '') {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null)
      throw invalid(`Unparseable filter: syntax error at column ${String(from + 1)}: ${text.slice(from)}`);
    const [, operator, open, close, comma, quoted, word] = match;
    if (operator !== undefined) found.push({ kind: 'operator', text: operator });
    else if (open !== undefined) found.push({ kind: 'open', text: open });
    else if (close !== undefined) found.push({ kind: 'close', text: close });
    else if (comma !== undefined) found.push({ kind: 'comma', text: comma });
    else if (quoted !== undefined) found.push({ kind: 'text', text: quoted.replaceAll(/\\(.)/g, '$1') });
    else if (word !== undefined) found.push({ kind: 'word', text: word });
  }
  return found;
}

class Parser {
  private readonly tokens: Token[];
  private position = 0;

  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }

  whole(): Fits {
    const fits = this.any();
    if (this.position < this.tokens.length) throw this.stuck();
    return fits;
  }

  private any(): Fits {
    const parts = [this.all()];
    while (this.skip('OR')) parts.push(this.all());
    return (row) => parts.some((fits) => fits(row));
  }

  private all(): Fits {
    const parts = [this.one()];
    for (;;) {
      if (!this.skip('AND')) {
        const next = this.tokens[this.position];
        if (next === undefined || next.kind === 'close' || next.text === 'OR') break;
      }
      parts.push(this.one());
    }
    return (row) => parts.every((fits) => fits(row));
  }

  private one(): Fits {
    if (this.skip('NOT')) {
      const inner = this.one();
      return (row) => !inner(row);
    }
    const token = this.tokens[this.position++];
    if (token === undefined) throw this.stuck();
    if (token.kind === 'open') {
      const inner = this.any();
      this.expect('close');
      return inner;
    }
    if (token.kind !== 'word' && token.kind !== 'text') throw this.stuck();
    const operator = this.tokens[this.position];
    if (operator?.kind !== 'operator')
      return (row) => JSON.stringify(row).toLowerCase().includes(token.text.toLowerCase());
    this.position += 1;
    const negated = token.text.startsWith('-');
    const compared = this.comparison(negated ? token.text.slice(1) : token.text, operator.text);
    return negated ? (row) => !compared(row) : compared;
  }

  private comparison(field: string, operator: string): Fits {
    const value = this.tokens[this.position++];
    if (value?.kind === 'open') {
      // field=("a" OR "b")
      const wanted: string[] = [];
      for (;;) {
        wanted.push(this.value());
        if (!this.skip('OR')) break;
      }
      this.expect('close');
      return (row) => wanted.some((one) => compare(lookup(row, field), operator, one));
    }
    if (value?.kind !== 'word' && value?.kind !== 'text') throw this.stuck();
    if (this.tokens[this.position]?.kind !== 'open') return (row) => compare(lookup(row, field), operator, value.text);
    return this.called(field, operator, value.text);
  }

  private called(field: string, operator: string, name: string): Fits {
    this.expect('open');
    const wanted = [this.value()];
    while (this.tokens[this.position]?.kind === 'comma') {
      this.position += 1;
      wanted.push(this.value());
    }
    this.expect('close');
    const test = FUNCTIONS[name];
    if (test === undefined) throw invalid(`The filter's function ${name} is not known.`);
    return (row) => wanted.some((one) => test(written(lookup(row, field)), one)) === (operator !== '!=');
  }

  private value(): string {
    const token = this.tokens[this.position++];
    if (token?.kind !== 'word' && token?.kind !== 'text') throw this.stuck();
    return token.text;
  }

  private skip(word: string): boolean {
    const token = this.tokens[this.position];
    if (token?.kind !== 'word' || token.text !== word) return false;
    this.position += 1;
    return true;
  }

  private expect(kind: Token['kind']): void {
    if (this.tokens[this.position]?.kind !== kind) throw this.stuck();
    this.position += 1;
  }

  private stuck(): Error {
    return invalid(`Unparseable filter: unexpected ${this.tokens[this.position]?.text ?? 'end'}`);
  }
}

const FUNCTIONS: Record<string, (found: string, wanted: string) => boolean> = {
  one_of: (found, wanted) => found === wanted,
  starts_with: (found, wanted) => found.startsWith(wanted),
  ends_with: (found, wanted) => found.endsWith(wanted),
  has_substring: (found, wanted) => found.includes(wanted),
};

const SEVERITIES = ['DEFAULT', 'DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL', 'ALERT', 'EMERGENCY'];

function compare(found: Json | undefined, operator: string, wanted: string): boolean {
  if (operator === '!=') return !compare(found, '=', wanted);
  if (operator === '!~') return !compare(found, '=~', wanted);
  if (found === undefined || found === null) return false;
  if (operator === ':') return has(found, wanted);
  if (Array.isArray(found)) return found.some((entry) => compare(entry, operator, wanted));
  const text = written(found);
  if (operator === '=') return text === wanted || (/\d/.test(text) && text !== '' && Number(text) === Number(wanted));
  if (operator === '=~') return new RegExp(wanted).test(text);
  const order = ordered(text, wanted);
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  return operator === '>' ? order > 0 : order >= 0;
}

function has(found: Json, wanted: string): boolean {
  if (wanted === '*') return true;
  if (isObject(found)) return Object.hasOwn(found, wanted);
  if (Array.isArray(found)) return found.some((entry) => has(entry, wanted));
  return written(found).toLowerCase().includes(wanted.toLowerCase());
}

function ordered(found: string, wanted: string): number {
  if (SEVERITIES.includes(found) && SEVERITIES.includes(wanted))
    return SEVERITIES.indexOf(found) - SEVERITIES.indexOf(wanted);
  if (/^\d{4}-\d{2}-\d{2}/.test(found)) return Date.parse(found) - Date.parse(wanted);
  const difference = Number(found) - Number(wanted);
  return Number.isNaN(difference) ? found.localeCompare(wanted) : difference;
}

/** `resource.labels.service_name`, `metric.label."code"`: by one name or the other, snake_case or not. */
export function lookup(row: JsonObject, field: string): Json | undefined {
  const keys = [...field.matchAll(/"((?:[^"\\]|\\.)*)"|([^."]+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  let found: Json | undefined = row;
  for (const key of keys) {
    if (!isObject(found)) return undefined;
    const camel = key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    found = found[key] ?? found[camel] ?? (key === 'label' ? found['labels'] : undefined);
  }
  return found;
}
