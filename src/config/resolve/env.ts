import type { EnvPart, EnvTemplate } from '../../domain/project/project.ts';
import { suggest } from '../../lib/suggest.ts';
import { valueOf } from '../fill.ts';
import type { Filling } from '../fill.ts';
import { isDatabaseUrl } from '../private-values.ts';
import { problemAt } from '../problem.ts';
import type { Complaint, Problem } from '../problem.ts';
import { parseTemplate } from '../template.ts';
import type { TemplatePart } from '../template.ts';
import type { ScalarTree, Tree } from '../tree.ts';

/** What an entry of `env` may refer to. */
export interface EnvScope extends Filling {
  /** By name: whether it is a folder of static files, which has no address of its own. */
  services: ReadonlyMap<string, { static: boolean }>;
  /** By name; null when the url itself is wrong, which was said already. */
  databases: ReadonlyMap<string, EnvPart[] | null>;
}

/** `env` of one service, merged already. Entries that are not text were complained about by the schema. */
export function resolveEnv(env: Tree | undefined, scope: EnvScope, problems: Problem[]): EnvTemplate {
  const template: EnvTemplate = {};
  if (env?.kind !== 'map') return template;
  for (const [name, entry] of env.entries) {
    if (name === 'PORT' || name.startsWith('EVENKEEL_')) {
      const what = name === 'PORT' ? 'to the port that each instance was given' : 'itself';
      const message = `\`${name}\` is set by evenkeel ${what}`;
      const hint = name === 'PORT' ? 'let the program listen on $PORT' : 'choose another name';
      problems.push(problemAt(entry.place, entry.value.path, { code: 'contradiction', message, hint }));
      continue;
    }
    if (entry.value.kind !== 'scalar' || typeof entry.value.value !== 'string') continue;
    template[name] = resolveText(entry.value, entry.value.value, scope, problems) ?? [];
  }
  return template;
}

/** The url of a database: variables and secrets, nothing that depends on who asks. Null when it is wrong. */
export function resolveUrl(url: Tree | undefined, filling: Filling, problems: Problem[]): EnvPart[] | null {
  if (url?.kind !== 'scalar' || typeof url.value !== 'string') return null;
  return resolveText(url, url.value, { ...filling, services: new Map(), databases: new Map() }, problems);
}

function resolveText(scalar: ScalarTree, text: string, scope: EnvScope, problems: Problem[]): EnvPart[] | null {
  const parts: EnvPart[] = [];
  let fine = true;
  for (const piece of parseTemplate(text)) {
    const resolved = resolvePart(piece, scope, scalar.path);
    if (Array.isArray(resolved)) {
      parts.push(...resolved);
    } else {
      problems.push(problemAt(scalar.place, scalar.path, resolved));
      fine = false;
    }
  }
  return fine ? joinTexts(parts) : null;
}

function resolvePart(part: TemplatePart, scope: EnvScope, path: readonly string[]): EnvPart[] | Complaint {
  switch (part.kind) {
    case 'text':
      return [part.text];
    case 'error':
      return { code: 'bad-variable', message: part.message, hint: part.hint };
    case 'reference':
      return resolveReference(part.keys, part.raw, scope, path);
    case 'variable': {
      if (scope.secrets.has(part.name)) {
        if (part.fallback === null) return [{ secret: part.name }];
        const message = `\`\${${part.name}}\` is a secret and cannot have a default`;
        return { code: 'secret-misplaced', message, hint: `write \${${part.name}}` };
      }
      if (part.name === 'PORT' && !isDatabaseUrl(path)) return [{ port: true }];
      const value = valueOf(part, scope, path);
      return typeof value === 'string' ? [value] : value;
    }
  }
}

function resolveReference(
  keys: readonly string[],
  raw: string,
  scope: EnvScope,
  path: readonly string[],
): EnvPart[] | Complaint {
  const [kind = '', name = '', what] = keys;
  const fits = (kind === 'services' || kind === 'databases') && what === 'url' && keys.length === 3;
  const misplaced = isDatabaseUrl(path);
  if (!fits || misplaced) {
    return {
      code: 'bad-variable',
      message: misplaced ? `\`${raw}\` cannot be used here` : `\`${raw}\` is not understood`,
      hint: misplaced ? null : 'there are ${services.NAME.url} and ${databases.NAME.url}',
    };
  }
  if (kind === 'services') {
    const service = scope.services.get(name);
    if (service === undefined) return unknown('service', name, raw, scope.services.keys());
    if (!service.static) return [{ serviceUrl: name }];
    return {
      code: 'unknown-reference',
      message: `\`${raw}\`: \`${name}\` is a folder of static files and has no address of its own`,
      hint: 'write the public address instead',
    };
  }
  if (!scope.databases.has(name)) return unknown('database', name, raw, scope.databases.keys());
  return scope.databases.get(name) ?? [];
}

function unknown(noun: string, name: string, raw: string, known: Iterable<string>): Complaint {
  const names = [...known];
  const meant = suggest(name, names);
  return {
    code: 'unknown-reference',
    message: `\`${raw}\`: there is no ${noun} \`${name}\``,
    expected: names.length === 0 ? null : `one of ${names.join(', ')}`,
    hint: meant === null ? null : `did you mean "${meant}"?`,
  };
}

/** Neighbouring texts become one, so that the digest of a configuration does not depend on how it was written. */
function joinTexts(parts: readonly EnvPart[]): EnvPart[] {
  const joined: EnvPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === 'string' && typeof last === 'string') joined[joined.length - 1] = last + part;
    else joined.push(part);
  }
  return joined.length === 0 ? [''] : joined;
}
