import type { EdgeService } from '../../domain/traffic/protocol.ts';
import { serviceKey } from '../../domain/traffic/protocol.ts';
import type { AccessLogs } from '../access-log/access-logs.ts';
import type { EdgeLog } from '../log.ts';
import type { Limiter, LimiterFor } from './limits.ts';
import { LivePolicy } from './live-policy.ts';
import { PageShelf } from './pages.ts';

type EdgeRoute = EdgeService['routes'][number];

interface Known {
  readonly json: string;
  readonly rate: string;
  readonly live: LivePolicy;
}

/** The policies of a table. One that stays as it is keeps what it has counted, whatever else changes. */
export class LivePolicies {
  readonly #shelf: PageShelf;
  readonly #logs: AccessLogs;
  readonly #limiterFor: LimiterFor;
  #known = new Map<string, Known>();

  constructor(log: EdgeLog, logs: AccessLogs, limiterFor: LimiterFor) {
    this.#shelf = new PageShelf(log);
    this.#logs = logs;
    this.#limiterFor = limiterFor;
  }

  /** Those of all these services; asked for by service and route. Undefined where there is nothing to look at. */
  replace(services: Iterable<EdgeService>): (service: EdgeService, route: EdgeRoute) => LivePolicy | undefined {
    const next = new Map<string, Known>();
    for (const service of services)
      for (const route of service.routes) {
        const name = nameOf(service, route);
        const made = this.#make(service, route, this.#known.get(name));
        if (made !== null) next.set(name, made);
      }
    const kept = new Set([...next.values()].map(({ live }) => live.rate));
    for (const { live } of this.#known.values()) if (!kept.has(live.rate)) live.rate?.end?.();
    this.#known = next;
    return (service, route) => next.get(nameOf(service, route))?.live;
  }

  #make(service: EdgeService, route: EdgeRoute, before: Known | undefined): Known | null {
    const { trustedProxies = [], maintenance = null, pages, accessLog = null } = service;
    const says = [route.policy, route.maxBody, trustedProxies, maintenance, pages, accessLog];
    const nothing = says.every(
      (each) => each === undefined || each === null || (Array.isArray(each) && each.length === 0),
    );
    if (nothing) return null;
    const json = JSON.stringify(says);
    if (before?.json === json) return before;
    const limit = route.policy?.rate ?? null;
    const rate = JSON.stringify(limit);
    const limiter = (): Limiter | null => (limit === null ? null : this.#limiterFor(nameOf(service, route), limit));
    const page = maintenance?.page ?? null;
    const live = new LivePolicy(route, service, {
      pages: this.#shelf.pages(pages),
      maintenancePage: page === null ? null : this.#shelf.page(page),
      log: accessLog === null ? null : { settings: accessLog, writer: this.#logs.of(service) },
      rate: before?.rate === rate ? before.live.rate : limiter(),
    });
    return { json, rate, live };
  }
}

const nameOf = (service: EdgeService, { host, path }: EdgeRoute): string =>
  `${serviceKey(service)} ${host ?? ''} ${path}`;
