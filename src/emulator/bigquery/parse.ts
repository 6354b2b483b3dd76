import { refuseSql } from './refuse-sql.ts';

/** The part of BigQuery's SQL that is understood; anything else is refused by its name. */
export interface Select {
  items: { expr: Expr; name: string }[];
  from: Source | null;
  where: Expr | null;
  /** Names of items. */
  groupBy: string[];
}

export type Source = { table: string } | { unnest: Expr & { is: 'path' } } | { select: Select };

export type Expr =
  | { is: 'path'; names: string[] }
  | { is: 'text'; value: string }
  | { is: 'whole'; value: bigint }
  | { is: 'null' }
  | { is: 'parameter'; name: string }
  | { is: 'cast'; of: Expr; type: CastType }
  | { is: 'call'; name: string; given: Expr[] }
  | { is: 'compare'; by: Comparison; left: Expr; right: Expr }
  | { is: 'and'; all: Expr[] }
  | { is: 'select'; select: Select };

export type CastType = 'NUMERIC' | 'STRING';
export type Comparison = '=' | '<' | '>' | '<=' | '>=';

const FUNCTIONS: Readonly<Record<string, number>> = { SUM: 1, MAX: 1, IFNULL: 2, IF: 3, UNIX_MILLIS: 1 };
export const AGGREGATES: ReadonlySet<string> = new Set(['SUM', 'MAX']);

interface Token {
  kind: 'word' | 'table' | 'text' | 'whole' | 'parameter' | 'sign' | 'end';
  text: string;
  /** `[line:column]`, as BigQuery says it. */
  where: string;
}

const TOKEN =
  /(?<word>[A-Za-z_]\w*)|`(?<table>[^`]+)`|'(?<text>[^'\\]*)'|(?<whole>\d+)|@(?<parameter>\w+)|(?<sign><=|>=|[=<>(),.])/y;

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const whereOf = (index: number): string => {
    const before = sql.slice(0, index).split('\n');
    return `[${before.length}:${(before.at(-1)?.length ?? 0) + 1}]`;
  };
  for (;;) {
    at += /^\s*/.exec(sql.slice(at))?.[0].length ?? 0;
    const where = whereOf(at);
    if (at >= sql.length) return [...tokens, { kind: 'end', text: '', where }];
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(sql);
    const [kind, text] = Object.entries(found?.groups ?? {}).find(([, value]) => value !== undefined) ?? [];
    if (found === null || kind === undefined) throw refuseSql(`${JSON.stringify(sql[at])} at ${where}`);
    tokens.push({ kind: kind as Token['kind'], text: text ?? '', where });
    at = TOKEN.lastIndex;
  }
}

/** Throws 400 that names what is not understood. */
export function parseSql(sql: string): Select {
  const parser = new Parser(tokensOf(sql));
  const select = parser.select();
  parser.end();
  return select;
}

class Parser {
  private readonly tokens: Token[];
  private at = 0;

  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }

  select(): Select {
    this.word('SELECT');
    const items = this.list(() => this.item());
    const from = this.hasWord('FROM') ? this.source() : null;
    const where = this.hasWord('WHERE') ? this.expr() : null;
    const grouped = this.hasWord('GROUP');
    if (grouped) this.word('BY');
    const groupBy = grouped ? this.list(() => this.name()) : [];
    return { items, from, where, groupBy };
  }

  end(): void {
    if (this.now.kind !== 'end') throw this.unknown();
  }

  private item(): Select['items'][number] {
    const expr = this.expr();
    if (this.hasWord('AS')) return { expr, name: this.name() };
    return { expr, name: (expr.is === 'path' ? expr.names.at(-1) : undefined) ?? 'f0_' };
  }

  private source(): Source {
    if (this.now.kind === 'table') return { table: this.take().text };
    if (this.hasWord('UNNEST')) {
      const [path] = this.between(() => [this.expr()]);
      if (path?.is !== 'path') throw this.unknown();
      return { unnest: path };
    }
    this.sign('(');
    const select = this.select();
    this.sign(')');
    return { select };
  }

  private expr(): Expr {
    const all = [this.comparison()];
    while (this.hasWord('AND')) all.push(this.comparison());
    const [only] = all;
    return all.length === 1 && only !== undefined ? only : { is: 'and', all };
  }

  private comparison(): Expr {
    const left = this.primary();
    const { kind, text } = this.now;
    if (kind !== 'sign' || !/^[<>=]/.test(text)) return left;
    this.take();
    return { is: 'compare', by: text as Comparison, left, right: this.primary() };
  }

  private primary(): Expr {
    const token = this.take();
    if (token.kind === 'text') return { is: 'text', value: token.text };
    if (token.kind === 'whole') return { is: 'whole', value: BigInt(token.text) };
    if (token.kind === 'parameter') return { is: 'parameter', name: token.text };
    if (token.kind === 'sign' && token.text === '(') {
      const inner: Expr =
        this.now.kind === 'word' && this.now.text.toUpperCase() === 'SELECT'
          ? { is: 'select', select: this.select() }
          : this.expr();
      this.sign(')');
      return inner;
    }
    if (token.kind !== 'word') throw this.unknown(token);
    const word = token.text.toUpperCase();
    if (word === 'NULL') return { is: 'null' };
    if (this.now.kind === 'sign' && this.now.text === '(') return this.call(word, token);
    const names = [token.text];
    while (this.hasSign('.')) names.push(this.name());
    return { is: 'path', names };
  }

  private call(name: string, token: Token): Expr {
    if (name === 'CAST') {
      this.sign('(');
      const of = this.expr();
      this.word('AS');
      const type = this.take();
      if (type.text !== 'NUMERIC' && type.text !== 'STRING') throw this.unknown(type);
      this.sign(')');
      return { is: 'cast', of, type: type.text };
    }
    const wanted = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (wanted === undefined) throw this.unknown(token);
    const given = this.between(() => this.list(() => this.expr()));
    if (given.length !== wanted) throw refuseSql(`${name} with ${given.length} arguments at ${token.where}`);
    return { is: 'call', name, given };
  }

  private list<T>(each: () => T): T[] {
    const all = [each()];
    while (this.hasSign(',')) all.push(each());
    return all;
  }

  private between<T>(inner: () => T): T {
    this.sign('(');
    const value = inner();
    this.sign(')');
    return value;
  }

  private get now(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)] ?? { kind: 'end', text: '', where: '' };
  }

  private take(): Token {
    const token = this.now;
    this.at += 1;
    return token;
  }

  private name(): string {
    const token = this.take();
    if (token.kind !== 'word') throw this.unknown(token);
    return token.text;
  }

  private hasWord(word: string): boolean {
    const has = this.now.kind === 'word' && this.now.text.toUpperCase() === word;
    if (has) this.at += 1;
    return has;
  }

  private hasSign(sign: string): boolean {
    const has = this.now.kind === 'sign' && this.now.text === sign;
    if (has) this.at += 1;
    return has;
  }

  private word(word: string): void {
    if (!this.hasWord(word)) throw this.unknown();
  }

  private sign(sign: string): void {
    if (!this.hasSign(sign)) throw this.unknown();
  }

  private unknown(token = this.now): Error {
    return refuseSql(token.kind === 'end' ? 'where it ends' : `${token.text} at ${token.where}`);
  }
}
