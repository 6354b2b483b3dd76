import { type OperationId, paths, routeOf } from './contract/paths.ts';

let known: { readonly method: string; readonly path: RegExp }[] | null = null;

/** With which methods a path of the API can be asked; none: there is no such path. */
export function methodsOf(url: string): string[] {
  const [path = ''] = url.split('?');
  known ??= (Object.keys(paths) as OperationId[]).map((id) => {
    const { method, path: pattern } = routeOf(id);
    return { method, path: new RegExp(`^${pattern.replaceAll(/:\w+/g, '[^/]+')}$`) };
  });
  const methods = known.filter((each) => each.path.test(path)).map(({ method }) => method);
  return [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))];
}
