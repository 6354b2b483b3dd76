import type { Api } from '../core/api.ts';
import { documentOf } from '../schema/document.ts';
import { matchingRoutes, routesOf } from './routes.ts';
import type { Matched, Route } from './routes.ts';
import { globalHost, isGoogle } from './target.ts';

interface Served {
  api: Api;
  host: string;
  routes: Route[];
}

export interface Found extends Matched {
  api: Api;
}

/** Finds the method that a request means among all APIs. */
export class Router {
  private readonly served: Served[];

  constructor(apis: readonly Api[]) {
    this.served = apis.map((api) => ({
      api,
      host: new URL(documentOf(api.document).rootUrl).host,
      routes: routesOf(api.document),
    }));
  }

  /**
   * By host; when the host is no name of Google's (a client that was given another root), by path over all of them. Then
   * several APIs may have the path (`v1/projects/p/locations/l/operations/o`): one that handles it is preferred, and
   * `holds` decides among those, by what exists.
   */
  find(host: string, httpMethod: string, path: string, holds: (found: Found) => boolean): Found | null {
    const found = this.candidates(host).flatMap(({ api, routes }) =>
      matchingRoutes(routes, httpMethod, path)
        .slice(0, 1)
        .map((matched): Found => ({ ...matched, api })),
    );
    const handled = found.filter(({ api, route }) => api.handlers[route.method.id] !== undefined);
    return handled.find(holds) ?? handled[0] ?? found[0] ?? null;
  }

  private candidates(host: string): Served[] {
    // www.googleapis.com is the older name of several.
    if (!isGoogle(host) || host === 'www.googleapis.com') return this.served;
    const wanted = globalHost(host);
    return this.served.filter((one) => one.host === wanted);
  }
}
