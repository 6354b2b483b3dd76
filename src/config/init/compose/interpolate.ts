import { looksSecret, useSecret } from './model.ts';
import type { ComposeContext } from './model.ts';

/** Where a text stands, for notes: "`LEVEL` of `web`". */
type Where = string;

/**
 * Compose's `$NAME`, `${NAME}` (empty when unset), `${NAME:-x}`, `${NAME:?why}`, `${NAME:+x}` and `$$` in our words. What
 * has no word of ours is named in a note.
 */
export function interpolate(text: string, where: Where, context: ComposeContext, inCommand = false): string {
  let result = '';
  const add = (written: string): void => {
    // A `$` right before `${` would take its meaning away.
    if (written.startsWith('${') && result.endsWith('$')) {
      context.note(`${where} has a \`$\` before a variable, which cannot be written here: it is left out`);
      result = result.slice(0, -1);
    }
    result += written;
  };
  for (let at = 0; at < text.length;) {
    const next = text.indexOf('$', at);
    if (next === -1) {
      add(text.slice(at));
      break;
    }
    add(text.slice(at, next));
    const form = formAt(text, next);
    at = next + form.length;
    if (form.kind === 'variable') add(ours(form, where, context, inCommand));
    else if (form.kind === 'dollar') result += text[at] === '{' ? '$$' : '$';
    else result += text.startsWith('${', next) ? '$${' : '$';
  }
  return result;
}

/** The same with everything known now put in: for `image`, paths and numbers, which we do not keep as they are. */
export function resolved(text: string, known: ReadonlyMap<string, string>): string {
  let result = '';
  for (let at = 0; at < text.length;) {
    const next = text.indexOf('$', at);
    if (next === -1) return result + text.slice(at);
    result += text.slice(at, next);
    const form = formAt(text, next);
    at = next + form.length;
    if (form.kind === 'variable') result += valueNow(form, known);
    else result += form.kind === 'dollar' ? '$' : text.slice(next, at);
  }
  return result;
}

/** The same, of a text that is not kept with its variables in it: that they were filled in is said. */
export function filledIn(text: string, where: string, { known, note }: ComposeContext): string {
  const filled = resolved(text, known);
  if (filled !== text) note(`${where}: \`${text}\` was filled in with what its variables are now (${filled})`);
  return filled;
}

interface Variable {
  kind: 'variable';
  length: number;
  name: string;
  /** One of ``, `:-`, `-`, `:?`, `?`, `:+`, `+`. */
  operator: string;
  word: string;
}
type Form = Variable | { kind: 'dollar' | 'text'; length: number };

function formAt(text: string, start: number): Form {
  if (text[start + 1] === '$') return { kind: 'dollar', length: 2 };
  const bare = /^\$([A-Za-z_]\w*)/.exec(text.slice(start));
  if (bare !== null) return { kind: 'variable', length: bare[0].length, name: bare[1] ?? '', operator: '', word: '' };
  if (text[start + 1] !== '{') return { kind: 'text', length: 1 };
  let depth = 0;
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '{') depth++;
    if (text[at] !== '}' || --depth > 0) continue;
    const match = /^([A-Za-z_]\w*)(?:(:?[-?+])(.*))?$/s.exec(text.slice(start + 2, at));
    if (match === null) break;
    const [, name = '', operator = '', word = ''] = match;
    return { kind: 'variable', length: at + 1 - start, name, operator, word };
  }
  return { kind: 'text', length: 2 };
}

function valueNow({ name, operator, word }: Variable, known: ReadonlyMap<string, string>): string {
  const value = known.get(name);
  if (operator.endsWith('+')) return value === undefined || value === '' ? '' : resolved(word, known);
  const isMissing = value === undefined || (value === '' && operator.startsWith(':'));
  return isMissing && operator.endsWith('-') ? resolved(word, known) : (value ?? '');
}

function ours(form: Variable, where: Where, { known, note, findings }: ComposeContext, inCommand: boolean): string {
  const { name, operator, word } = form;
  // The port of the instance is what was meant, whatever the number was before.
  if (name === 'PORT') return '${PORT}';
  if (looksSecret(name)) {
    if (operator.endsWith('-') && word !== '')
      note(`${where}: a secret has no default, so that of ${name} is left out`);
    const used = useSecret(name, findings);
    // Only `env` may hold a secret; a command finds it there.
    return inCommand ? `$${used.slice(2, -1)}` : used;
  }
  if (operator.endsWith('+')) {
    note(`${where}: \`\${${name}${operator}...}\` has no equal here, and is taken as if ${name} were not set`);
    return '';
  }
  if (operator.endsWith('?')) {
    if (known.has(name)) return `\${${name}}`;
    note(`${where} needs ${name}, which is not set in .env: add it there, and write \`\${${name}}\` to insist on it`);
    return `\${${name}:-}`;
  }
  if (operator === '-') note(`${where}: the default of ${name} is now also taken when it is set and empty`);
  const fallback = resolved(word, known);
  if (fallback !== word) note(`${where}: the default of ${name} held a variable; its value of now was taken`);
  if (/[{}]/.test(fallback)) {
    note(`${where}: the default of ${name} holds a brace, which cannot be written here: it is left out`);
    return `\${${name}:-}`;
  }
  return `\${${name}:-${fallback}}`;
}
