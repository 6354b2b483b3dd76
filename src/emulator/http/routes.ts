import { documentOf, methodsOf } from '../schema/document.ts';
import type { Document, Method } from '../schema/document.ts';

/** A method of an API's version and how its paths look. */
export interface Route {
  document: Document;
  method: Method;
  /** The path is that of a media upload. */
  upload: boolean;
  pattern: RegExp;
  names: string[];
  /** Of several routes that fit, the one with the most literal text is meant (`…:getIamPolicy` before `…`). */
  literal: number;
}

export interface Matched {
  route: Route;
  /** Path parameters, decoded. */
  path: Record<string, string>;
}

/** All routes of one document. */
export function routesOf(file: string): Route[] {
  const document = documentOf(file);
  return methodsOf(document).flatMap((method) => {
    const plain = routeOf(document, method, `/${document.servicePath}${method.path}`, false);
    const media = Object.values(method.mediaUpload?.protocols ?? {}).map(({ path }) =>
      routeOf(document, method, path, true),
    );
    const download = `/download/${document.servicePath}${method.path}`;
    return [
      plain,
      ...media,
      ...(method.useMediaDownloadService === true ? [routeOf(document, method, download, false)] : []),
    ];
  });
}

function routeOf(document: Document, method: Method, template: string, upload: boolean): Route {
  const names: string[] = [];
  let literal = 0;
  const pattern = template
    .split(/(\{\+?[^}]+\})/)
    .map((part) => {
      const [, plus, name] = /^\{(\+?)([^}]+)\}$/.exec(part) ?? [];
      if (name === undefined) {
        literal += part.length;
        return part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      }
      names.push(name);
      if (plus === '') return '([^/]+)';
      const shape = method.parameters?.[name]?.pattern?.replace(/^\^/, '').replace(/\$$/, '') ?? '.+';
      literal += shape.replaceAll(/\[\^\/\]\+|\.\*|\.\+/g, '').length;
      return `(${shape.replaceAll(/\((?!\?)/g, '(?:')})`;
    })
    .join('');
  return { document, method, upload, pattern: new RegExp(`^${pattern}$`), names, literal };
}

/**
 * The routes that fit a method and a path (as it was sent, still encoded), the fittest first. Clients may encode the
 * slashes of a resource's name, so a path that fits nothing is looked at once more, decoded.
 */
export function matchingRoutes(routes: readonly Route[], httpMethod: string, path: string): Matched[] {
  const found = matches(routes, httpMethod, path);
  if (found.length > 0 || !/%2f/i.test(path)) return found;
  return matches(routes, httpMethod, path.replaceAll(/%2f/gi, '/'));
}

function matches(routes: readonly Route[], httpMethod: string, path: string): Matched[] {
  return routes
    .flatMap((route) => {
      if (route.method.httpMethod !== httpMethod) return [];
      const match = route.pattern.exec(path);
      if (match === null) return [];
      const values = route.names.map((name, index): [string, string] => {
        const text = match[index + 1] ?? '';
        // Within a whole resource name an encoded slash belongs to one part of it (a package's name).
        return [name, text.includes('/') ? text.split(/%2f/i).map(decoded).join('%2F') : decoded(text)];
      });
      return [{ route, path: Object.fromEntries(values) }];
    })
    .toSorted((a, b) => b.route.literal - a.route.literal);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
