import { serverConcerns } from '../../domain/overview/concerns.ts';
import { worstFirst } from '../../domain/overview/judge.ts';
import { type TileInput, tilesOf } from '../../domain/overview/tiles.ts';
import { topConsumers } from '../../domain/overview/top-consumers.ts';
import { addInterval, noTraffic, type Totals, totalsOf } from '../../domain/overview/traffic.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Overview } from '../contract/overview.ts';
import { environmentOverview, recentBegin, type ServiceOverview } from './environment.ts';
import { HealthyMinutes } from './healthy-minutes.ts';
import { dayBegin, History, HOUR_POINTS, hourBegin, PIECE_MS } from './history.ts';
import { LastDeploys } from './last-deploys.ts';

const MINUTE = 60_000;
const TOP = 5;
/** For how long a reply is given to others who ask for the same, ms. What has changed meanwhile makes it old at once. */
const FRESH_MS = 1_000;

interface Kept<T> {
  at: number;
  version: number;
  reply: Promise<T>;
}

/**
 * How everything is. Two hundred dashboards that ask at the same moment, because all were told of the same change, are
 * answered from one look.
 */
export class Overviews {
  readonly #deps: ApiDeps;
  readonly #history: History;
  readonly #deploys = new LastDeploys();
  readonly #healthy: HealthyMinutes;
  readonly #records = new Map<string, Kept<EnvironmentRecord[]>>();
  readonly #replies = new Map<string, Kept<Overview>>();

  constructor(deps: ApiDeps) {
    this.#deps = deps;
    const filled = (): void => deps.changes.tell({ event: { type: 'metrics' }, permission: null, scope: null });
    this.#healthy = new HealthyMinutes(deps);
    this.#history = new History(deps.telemetry, filled);
  }

  /** All environments; of those, the caller is shown what they may see. */
  records(): Promise<EnvironmentRecord[]> {
    return this.#once(this.#records, '', async () => {
      const records = await this.#deps.engine.reads.environments();
      this.#keepOnly(records);
      return records;
    });
  }

  /** @param records those that the caller may see */
  of(records: readonly EnvironmentRecord[]): Promise<Overview> {
    return this.#once(this.#replies, records.map(nameOf).join(' '), () => this.#look(records));
  }

  /** The same for all who ask within a moment in which nothing changed. */
  #once<T>(kept: Map<string, Kept<T>>, key: string, look: () => Promise<T>): Promise<T> {
    const now = performance.now();
    const { version } = this.#deps.changes;
    for (const [old, { at }] of kept) if (now - at > FRESH_MS) kept.delete(old);
    const known = kept.get(key);
    if (known?.version === version) return known.reply;
    const reply = look();
    kept.set(key, { at: now, version, reply });
    // Nobody else is to be refused for what may be over by then.
    reply.catch(() => kept.delete(key));
    return reply;
  }

  async #look(records: readonly EnvironmentRecord[]): Promise<Overview> {
    const deps = this.#deps;
    const now = deps.engine.deps.clock.now();
    const tools = { deps, history: this.#history, deploys: this.#deploys };
    const services: ServiceOverview[] = [];
    const rollouts: Overview['rollouts'] = [];
    const concerns: Overview['warnings'] = [];
    let edge = true;
    for (const record of records) {
      const found = await environmentOverview(tools, record, now);
      this.#healthy.note(
        record,
        found.services.map(({ row }) => row),
        now,
      );
      services.push(...found.services);
      rollouts.push(...found.rollouts);
      const { project, environment } = record;
      concerns.push(...found.concerns.map((each) => ({ ...each, project, environment })));
      edge &&= found.edge;
    }
    const storeAwaySince = deps.engine.reads.awaySince();
    const ofServer = serverConcerns({ edge, storeAwaySince, unwritten: deps.engine.reads.unwritten() }, now);
    const hour = { from: hourBegin(now), stepMs: MINUTE };
    const begin = recentBegin(now);
    const tiles = tilesOf({
      services: services.map(({ row, judged }) => ({ health: row.health, judged })),
      recent: totalsOf(
        services.flatMap(({ history }) => [...history.minutes].flatMap(([at, each]) => (at >= begin ? [each] : []))),
      ),
      recentMs: now - begin + 1,
      minutes: this.#minutes(records, services, hour.from),
      watchedNow: services.some(({ history }) => [...history.watched].some((at) => at >= begin)),
    });
    return {
      at: now,
      hour,
      day: {
        from: dayBegin(now),
        stepMs: PIECE_MS,
        complete: services.every(({ history }) => history.missing === null),
      },
      tiles,
      warnings: worstFirst([
        ...ofServer.map((each) => ({ ...each, project: null, environment: null })),
        ...services.flatMap(({ row: { project, environment, service }, judged }) =>
          judged.warnings.map((warning) => ({ ...warning, project, environment, service, rollout: null })),
        ),
        ...concerns,
      ]),
      rollouts,
      services: services.map(({ row }) => row),
      top: topConsumers(
        services.flatMap(({ consumers }) => consumers),
        TOP,
      ),
      storeAwaySince,
    };
  }

  /** Each minute of the last hour, over all services. */
  #minutes(
    records: readonly EnvironmentRecord[],
    services: readonly ServiceOverview[],
    from: number,
  ): TileInput['minutes'] {
    return Array.from({ length: HOUR_POINTS }, (_, index) => {
      const at = from + index * MINUTE;
      let totals: Totals | null = null;
      let watched = false;
      for (const { history } of services) {
        watched ||= history.watched.has(at);
        const minute = history.minutes.get(at);
        if (minute !== undefined) addInterval((totals ??= noTraffic()), minute);
      }
      return { totals, watched, healthy: this.#healthy.sumOf(records, at) };
    });
  }

  /** Forgets what is not there any more. */
  #keepOnly(records: readonly EnvironmentRecord[]): void {
    const names = new Set(records.map(nameOf));
    this.#healthy.keepOnly(names);
    this.#history.keepOnly((key) => names.has(key.slice(0, key.lastIndexOf('/'))));
  }
}

const nameOf = ({ project, environment }: EnvironmentRecord): string => `${project}/${environment}`;
