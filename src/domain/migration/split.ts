/** One statement of a file, without the semicolon behind it. */
export interface Statement {
  text: string;
  /** From 1, of its first word. */
  line: number;
}

export interface Split {
  statements: Statement[];
  /** Lines that are commands of psql, such as `\i other.sql`; `\copy` and its like. */
  commands: Statement[];
}

const SPACE = /\s/;
const DOLLAR = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
/** What follows is data, up to a line of `\.` */
const COPY_IN = /^copy\b[\s\S]*\bfrom\s+stdin\b/i;
/** Characters in which it says so. */
const COPY_HEAD = 10_000;
const LONGEST_KEYWORD = 'atomic'.length;

/**
 * Cuts SQL, as Postgres reads it, at the semicolons that end statements: not those in comments (which nest), quotes and
 * dollar quotes, nor between BEGIN ATOMIC and END of a function, which parentheses do not show and so is not cut finer.
 * One pass over the text, whatever it holds.
 */
export function splitStatements(sql: string): Split {
  const split: Split = { statements: [], commands: [] };
  let line = 1;
  let at = 0;
  let begin = -1;
  let beginLine = 1;
  let atomic = false;
  /** The last word, if nothing but space came after it. */
  let word = '';
  const skipTo = (end: number): void => {
    for (let index = at; index < end; index++) if (sql.charCodeAt(index) === 10) line++;
    at = end;
  };
  const startHere = (): void => {
    if (begin >= 0) return;
    begin = at;
    beginLine = line;
  };
  const finish = (end: number): void => {
    if (begin >= 0) split.statements.push({ text: sql.slice(begin, end), line: beginLine });
    begin = -1;
    atomic = false;
  };
  while (at < sql.length) {
    const char = sql[at] ?? '';
    if (SPACE.test(char) || char === '\uFEFF') skipTo(at + 1);
    else if (char === '-' && sql[at + 1] === '-') skipTo(endOfLine(sql, at));
    else if (char === '/' && sql[at + 1] === '*') skipTo(endOfComment(sql, at));
    else if (char === '\\' && begin < 0) {
      const end = endOfLine(sql, at);
      split.commands.push({ text: sql.slice(at, end).trim(), line });
      skipTo(end);
    } else if (char === ';') {
      if (atomic && word !== 'end') skipTo(at + 1);
      else {
        const copies = begin >= 0 && COPY_IN.test(sql.slice(begin, Math.min(at, begin + COPY_HEAD)));
        finish(at);
        skipTo(at + 1);
        if (copies) skipTo(endOfData(sql, at));
      }
      word = '';
    } else {
      startHere();
      if (char === "'") skipTo(endOfQuote(sql, at, "'", isEscaped(sql, at)));
      else if (char === '"') skipTo(endOfQuote(sql, at, '"', false));
      else if (char === '$') skipTo(endOfDollar(sql, at));
      else {
        const end = endOfWord(sql, at);
        const next = end - at > LONGEST_KEYWORD ? '' : sql.slice(at, end).toLowerCase();
        if (next === 'atomic' && word === 'begin') atomic = true;
        word = next;
        skipTo(end);
      }
    }
  }
  finish(sql.length);
  return split;
}

function endOfLine(sql: string, from: number): number {
  const end = sql.indexOf('\n', from);
  return end < 0 ? sql.length : end;
}

function endOfComment(sql: string, from: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = from;
  for (let depth = 0; ;) {
    const mark = marks.exec(sql);
    if (mark === null) return sql.length;
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.index + 2;
  }
}

/** `E'...'`: a backslash takes the next character. */
const isEscaped = (sql: string, at: number): boolean =>
  /e/i.test(sql[at - 1] ?? '') && !/[A-Za-z0-9_]/.test(sql[at - 2] ?? '');

function endOfQuote(sql: string, from: number, quote: string, escapes: boolean): number {
  for (let at = from + 1; at < sql.length; at++) {
    if (escapes && sql[at] === '\\') at++;
    else if (sql[at] === quote && sql[at + 1] === quote) at++;
    else if (sql[at] === quote) return at + 1;
  }
  return sql.length;
}

function endOfDollar(sql: string, from: number): number {
  DOLLAR.lastIndex = from;
  const tag = DOLLAR.exec(sql)?.[0];
  // `$1` is a parameter.
  if (tag === undefined) return from + 1;
  const end = sql.indexOf(tag, from + tag.length);
  return end < 0 ? sql.length : end + tag.length;
}

function endOfWord(sql: string, from: number): number {
  const word = /[A-Za-z0-9_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
  word.lastIndex = from;
  const found = word.exec(sql)?.[0].length ?? 1;
  // The letter of E'...' is looked at where its quote begins.
  return from + found;
}

function endOfData(sql: string, from: number): number {
  const end = /^\\\.[ \t\r]*$/gm;
  end.lastIndex = from;
  return end.exec(sql) === null ? sql.length : end.lastIndex;
}
