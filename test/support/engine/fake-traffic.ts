import type { EvidenceReport } from '../../../src/domain/analysis/evidence.ts';
import type { EdgeReleaseStats, EdgeService, EdgeState } from '../../../src/domain/traffic/protocol.ts';
import { buildRouteTable, matchRoute } from '../../../src/domain/traffic/route-table.ts';
import { serviceKey } from '../../../src/domain/traffic/protocol.ts';
import type { EdgeStats } from '../../../src/domain/traffic/stats.ts';
import type { Traffic } from '../../../src/ports/traffic.ts';
import { EvenkeelError } from '../../../src/ports/errors.ts';

/** An edge in memory: applies what it is told, calls healthy what it is told to, and counts what a test says. */
export interface FakeTraffic extends Traffic {
  table: Map<string, { config: EdgeService; fence: number }>;
  /** Decides the health of an instance; default: healthy. */
  healthy: (instance: string) => boolean;
  /** How many requests an instance still answers; default: none. */
  inFlight: (instance: string) => number;
  evidence: EvidenceReport[];
  stats_: EdgeReleaseStats[];
  down: boolean;
  /** Public ports that a stranger has. */
  takenPorts: Set<number>;
  applied: number;
}

export function fakeTraffic(now: () => number): FakeTraffic {
  const reachable = (): void => {
    if (fake.down)
      throw new EvenkeelError({ code: 'peer-unreachable', what: 'the edge is away', retryable: true, exit: 2 });
  };
  const fake: FakeTraffic = {
    table: new Map(),
    healthy: () => true,
    inFlight: () => 0,
    evidence: [],
    stats_: [],
    down: false,
    takenPorts: new Set(),
    applied: 0,
    async apply(command) {
      reachable();
      for (const service of command.services) {
        const known = fake.table.get(serviceKey(service));
        if (known !== undefined && known.fence > command.fence)
          return { applied: false, refused: { reason: 'fence', detail: `${known.fence} is known` }, at: now() };
      }
      for (const { port } of command.services.flatMap((each) => each.routes))
        if (fake.takenPorts.has(port))
          return { applied: false, refused: { reason: 'port', detail: `${port} is in use` }, at: now() };
      for (const service of command.services)
        fake.table.set(serviceKey(service), { config: service, fence: command.fence });
      for (const key of command.remove) fake.table.delete(key);
      fake.applied++;
      return { applied: true, refused: null, at: now() };
    },
    async state(): Promise<EdgeState> {
      reachable();
      return {
        epoch: 'one',
        pid: 1,
        services: [...fake.table].map(([key, { config, fence }]) => ({
          key,
          fence,
          config,
          held: 0,
          instances: config.releases
            .flatMap((each) => each.instances)
            .map(({ id }) => ({
              id,
              healthy: fake.healthy(id),
              consecutive: 2,
              checks: 5,
              lastError: null,
              inFlight: fake.inFlight(id),
              ejected: false,
            })),
        })),
      };
    },
    async stats(): Promise<EdgeStats> {
      reachable();
      return {
        epoch: 'one',
        sequence: 1,
        at: now(),
        releases: fake.stats_,
        services: [],
        evidence: fake.evidence,
        unrouted: 0,
      };
    },
    async probe(request) {
      reachable();
      const configs = [...fake.table.values()].map(({ config }) => config);
      const shown = configs.find((each) => each.preview?.port === request.port)?.preview;
      if (shown) return { status: 200, release: shown.release, body: 'ok' };
      const routes = configs.flatMap((config) =>
        config.routes.filter(({ port }) => port === request.port).map((route) => ({ ...route, target: config })),
      );
      const service =
        configs.find((each) => each.internalPort === request.port) ??
        matchRoute(buildRouteTable(routes), request.host ?? undefined, request.path);
      if (service !== null) {
        const [most] = service.releases.toSorted((a, b) => b.weight - a.weight);
        return { status: 200, release: most?.release ?? null, body: 'ok' };
      }
      throw new EvenkeelError({ code: 'probe-failed', what: 'nobody listens', retryable: true });
    },
  };
  return fake;
}
