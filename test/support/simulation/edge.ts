import type { Arm, ArmTotals, EvidenceReport, WeightCounts } from '../../../src/domain/analysis/evidence.ts';
import type { EdgeReleaseStats, EdgeService, EdgeState } from '../../../src/domain/traffic/protocol.ts';
import { serviceKey } from '../../../src/domain/traffic/protocol.ts';
import { buildRouteTable, matchRoute } from '../../../src/domain/traffic/route-table.ts';
import { EvenkeelError } from '../../../src/ports/errors.ts';
import type { Traffic } from '../../../src/ports/traffic.ts';

interface Entry {
  config: EdgeService;
  fence: number;
}

type Split = NonNullable<EdgeService['split']>;

const nothing = (): ArmTotals => ({ requests: 0, sessions: 0, bad: 0, slowP75: 0, slowP95: 0, ttfb: [] });

/** An edge with visitors, in memory. What it was told survives its crashes; what it counted begins a new epoch. */
export class SimulatedEdge implements Traffic {
  readonly table = new Map<string, Entry>();
  /** Fences of services that were removed are remembered too. */
  readonly #fences = new Map<string, number>();
  readonly #now: () => number;
  readonly #answers: (instance: string) => boolean;
  #reports = new Map<string, EvidenceReport>();
  #releases = new Map<string, EdgeReleaseStats>();
  #epoch = 1;
  #sequence = 0;
  down = false;
  /** Requests in progress at each service, spread over the instances of the release with most of the traffic. */
  busy = 0;
  /** Every command that was applied, for whoever checks the rules. */
  onApplied: (services: EdgeService[], removed: string[], fence: number) => void = () => undefined;

  /** `answers`: whether an instance would answer a check. */
  constructor(now: () => number, answers: (instance: string) => boolean) {
    this.#now = now;
    this.#answers = answers;
  }

  crash(): void {
    this.#epoch++;
    this.#reports = new Map();
    this.#releases = new Map();
  }

  /** `requests` visitors at each service; `badness` of a release is the share of its replies that are bad. */
  visit(requests: number, badness: (release: string) => number): void {
    for (const [key, { config }] of this.table) {
      for (const { release, weight, instances } of config.releases) {
        const share = Math.round((requests * weight) / 100);
        if (share === 0 || !instances.some(({ id }) => this.#answers(id))) continue;
        const bad = Math.round(share * badness(release));
        this.#count(key, release, share, bad);
        if (config.split !== null) this.#judge(config.split, release, this.#weightOf(config), share, bad);
      }
    }
  }

  /** Rollouts whose new releases are bad by what their visitors met, and not for something that the former ones share. */
  bad(): Set<string> {
    const share = ({ bad, requests }: ArmTotals): number => (requests === 0 ? 0 : bad / requests);
    const found = [...this.#reports].filter(
      ([, { arms }]) => arms.canary.requests >= 300 && share(arms.canary) > 0.2 && share(arms.baseline) < 0.05,
    );
    return new Set(found.map(([key]) => key.split('/')[0] ?? ''));
  }

  #weightOf({ releases, split }: EdgeService): number {
    return releases.find(({ release }) => release === split?.canary)?.weight ?? 0;
  }

  #count(key: string, release: string, requests: number, bad: number): void {
    const before = this.#releases.get(`${key} ${release}`);
    this.#releases.set(`${key} ${release}`, {
      key,
      release,
      requests: (before?.requests ?? 0) + requests,
      classes: [0, (before?.requests ?? 0) + requests, 0, 0, (before?.bad ?? 0) + bad],
      bad: (before?.bad ?? 0) + bad,
      clientAborts: 0,
      retries: 0,
      ttfb: [],
      inFlight: 0,
      websockets: 0,
    });
  }

  #judge({ rollout, canary, baseline }: Split, release: string, weight: number, requests: number, bad: number): void {
    const arm: Arm | null = release === canary ? 'canary' : release === baseline ? 'baseline' : null;
    if (arm === null) return;
    const before = this.#reports.get(rollout);
    const arms = before?.arms ?? { canary: nothing(), baseline: nothing() };
    const own = arms[arm];
    const errors = [...(before?.metrics.errors ?? [])];
    const at = errors.findIndex((each) => each.weight === weight);
    const counts: WeightCounts = errors[at] ?? { weight, canary: 0, baseline: 0 };
    if (bad > 0 && weight > 0) errors.splice(at < 0 ? errors.length : at, 1, { ...counts, [arm]: counts[arm] + bad });
    const next = { ...own, requests: own.requests + requests, sessions: own.sessions + requests, bad: own.bad + bad };
    this.#reports.set(rollout, {
      epoch: `e${this.#epoch}`,
      sequence: 0,
      rollout,
      metrics: { errors, slowP75: [], slowP95: [] },
      arms: { ...arms, [arm]: next },
    });
  }

  #reachable(): void {
    if (this.down)
      throw new EvenkeelError({ code: 'peer-unreachable', what: 'the edge is away', retryable: true, exit: 2 });
  }

  async apply({
    fence,
    services,
    remove,
    takesOver = false,
  }: Parameters<Traffic['apply']>[0]): ReturnType<Traffic['apply']> {
    this.#reachable();
    const keys = [...services.map(serviceKey), ...remove];
    for (const [key, known] of this.#fences)
      if (known > fence)
        return { applied: false, refused: { reason: 'fence', detail: `${key} is newer` }, at: this.#now() };
    for (const key of takesOver ? [...this.#fences.keys(), ...keys] : keys) this.#fences.set(key, fence);
    for (const config of services) this.table.set(serviceKey(config), { config: structuredClone(config), fence });
    for (const key of remove) this.table.delete(key);
    const splits = new Set([...this.table.values()].flatMap(({ config }) => config.split?.rollout ?? []));
    for (const rollout of this.#reports.keys()) if (!splits.has(rollout)) this.#reports.delete(rollout);
    this.onApplied(services, remove, fence);
    return { applied: true, refused: null, at: this.#now() };
  }

  async state(): Promise<EdgeState> {
    this.#reachable();
    return {
      epoch: `e${this.#epoch}`,
      pid: this.#epoch,
      services: [...this.table].map(([key, { config, fence }]) => ({
        key,
        fence,
        config,
        held: 0,
        instances: config.releases
          .flatMap(({ instances, weight }) => instances.map(({ id }) => ({ id, share: weight / instances.length })))
          .map(({ id, share }) => ({
            id,
            healthy: this.#answers(id),
            consecutive: this.#answers(id) ? 2 : 0,
            checks: 5,
            lastError: this.#answers(id) ? null : 'status 500',
            inFlight: Math.round((this.busy * share) / 100),
            ejected: false,
          })),
      })),
    };
  }

  async stats(): ReturnType<Traffic['stats']> {
    this.#reachable();
    const sequence = ++this.#sequence;
    return {
      epoch: `e${this.#epoch}`,
      sequence,
      at: this.#now(),
      releases: [...this.#releases.values()],
      services: [],
      evidence: [...this.#reports.values()].map((each) => ({ ...each, sequence })),
      unrouted: 0,
    };
  }

  /** Whose public route a path belongs to: the longest wins. */
  #routed(port: number, path: string): EdgeService | null {
    const routes = [...this.table.values()].flatMap(({ config }) =>
      config.routes
        .filter((each) => each.port === port)
        .map((each) => ({ host: null, path: each.path, target: config })),
    );
    return matchRoute(buildRouteTable(routes), undefined, path);
  }

  async probe({ port, path }: Parameters<Traffic['probe']>[0]): ReturnType<Traffic['probe']> {
    this.#reachable();
    const routed = this.#routed(port, path);
    for (const { config } of this.table.values()) {
      const preview = config.preview?.port === port ? config.preview.release : null;
      if (preview === null && config.internalPort !== port && config !== routed) continue;
      const able = config.releases.filter(({ instances }) => instances.some(({ id }) => this.#answers(id)));
      const by = able
        .toSorted((a, b) => b.weight - a.weight)
        .find((each) => preview === null || each.release === preview);
      const shares = preview !== null || (by?.weight ?? 0) > 0;
      return by !== undefined && shares
        ? { status: 200, release: by.release, body: 'ok' }
        : { status: 503, release: null, body: '' };
    }
    throw new EvenkeelError({ code: 'probe-failed', what: 'nobody listens', retryable: true });
  }
}
