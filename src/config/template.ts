/** Text with `${...}` in it, taken apart. */
export type TemplatePart =
  | { kind: 'text'; text: string }
  /** `${VAR}` or `${VAR:-fallback}`; the fallback is also used when the variable is empty. */
  | { kind: 'variable'; name: string; fallback: string | null; raw: string }
  /** `${services.api.url}` */
  | { kind: 'reference'; keys: string[]; raw: string }
  | { kind: 'error'; message: string; hint: string };

const FORMS = 'write ${NAME}, ${NAME:-default} or, to keep it as it is, $${...}';

export function hasTemplate(text: string): boolean {
  return text.includes('${');
}

/** `$${` is the text `${`; a `$` before anything else is left alone. */
export function parseTemplate(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let literal = '';
  let at = 0;
  const flush = (): void => {
    if (literal !== '') parts.push({ kind: 'text', text: literal });
    literal = '';
  };
  while (at < text.length) {
    const next = text.indexOf('${', at);
    if (next === -1) break;
    const escaped = next > at && text[next - 1] === '$';
    literal += text.slice(at, escaped ? next - 1 : next);
    if (escaped) {
      literal += '${';
      at = next + 2;
      continue;
    }
    flush();
    const end = text.indexOf('}', next);
    if (end === -1) {
      parts.push({ kind: 'error', message: '`${` without `}`', hint: FORMS });
      return parts;
    }
    parts.push(parseInside(text.slice(next + 2, end)));
    at = end + 1;
  }
  literal += text.slice(at);
  flush();
  return parts;
}

function parseInside(inside: string): TemplatePart {
  const raw = `\${${inside}}`;
  const variable = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inside);
  if (variable !== null) {
    const fallback = variable[2] ?? null;
    if (fallback?.includes('${') === true) {
      return {
        kind: 'error',
        message: `the default of \`\${${variable[1]}}\` cannot hold another \`\${\``,
        hint: FORMS,
      };
    }
    return { kind: 'variable', name: variable[1] ?? '', fallback, raw };
  }
  if (/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/.test(inside)) return { kind: 'reference', keys: inside.split('.'), raw };
  const shown = inside.length > 40 || /\s/.test(inside) ? '${...}' : raw;
  return { kind: 'error', message: `\`${shown}\` is not understood`, hint: FORMS };
}
