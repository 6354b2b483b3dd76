import type { EdgeInstanceHealth } from '../../domain/traffic/protocol.ts';
import type { AskService } from './run-api.ts';

/** One instance that is asked for its health. */
export interface HealthTarget {
  id: string;
  /** Of its tag, without a path. */
  url: string;
  path: string;
  /** Of the instances of one service; they are compared with each other. */
  group: string;
  /** As whom it is asked, or null for a public one. */
  audience: string | null;
  intervalMs: number;
  /** The same once it is healthy. */
  restMs: number;
  timeoutMs: number;
  /** Told of each answer: somebody else counts it among those to users. */
  answered: (status: number) => void;
}

interface Watched {
  target: HealthTarget;
  consecutive: number;
  failures: number;
  checks: number;
  lastError: string | null;
  /** When the last question began that was answered well, and the first of those in a row that were not; wall time, ms. */
  wellAt: number;
  failingSince: number | null;
  asking: boolean;
  /** Those of its service that were first asked about in the same moment, itself included. */
  together: Set<string>;
  timer: NodeJS.Timeout | null;
}

/** So many successes in a row make it healthy, so many failures end that. */
const HEALTHY_AFTER = 2;
const UNHEALTHY_AFTER = 2;
/** Nobody has asked for so long: it is not asked any more either, since a question may start an instance. */
const FORGOTTEN_MS = 60_000;

/**
 * Asks instances for their health, each at the address of its tag. That also keeps one without traffic awake: Cloud Run
 * stops what nobody asks, and what has to be started first is not hot.
 */
export class HealthChecks {
  readonly #ask: AskService;
  readonly #watched = new Map<string, Watched>();
  readonly #wantedAt = new Map<string, number>();
  /** By group, those that are asked about in this moment for the first time. */
  readonly #born = new Map<string, Set<string>>();

  constructor(ask: AskService) {
    this.#ask = ask;
  }

  /** Checks go on for as long as somebody asks. */
  of(target: HealthTarget): Pick<EdgeInstanceHealth, 'healthy' | 'consecutive' | 'checks' | 'lastError'> {
    this.#wantedAt.set(target.id, Date.now());
    const known = this.#watched.get(target.id);
    if (known !== undefined && known.target.url === target.url) {
      known.target = target;
      const { consecutive, checks, lastError } = known;
      const healthy = isHealthy(known) && !this.#isStale(known) && !this.#isFirst(known);
      return { healthy, consecutive, checks, lastError };
    }
    this.#drop(target.id);
    const watched: Watched = {
      target,
      consecutive: 0,
      failures: 0,
      checks: 0,
      lastError: null,
      wellAt: 0,
      failingSince: null,
      asking: false,
      together: this.#together(target),
      timer: null,
    };
    this.#watched.set(target.id, watched);
    void this.#check(watched);
    return { healthy: false, consecutive: 0, checks: 0, lastError: null };
  }

  /** Whoever looks at a service asks for all of its instances without a pause. */
  #together({ id, group }: HealthTarget): Set<string> {
    const beside = this.#born.get(group) ?? new Set();
    if (beside.size === 0) {
      this.#born.set(group, beside);
      queueMicrotask(() => this.#born.delete(group));
    }
    return beside.add(id);
  }

  /**
   * A controller that has just come asks all of them for the first time. Which of them answers first says nothing: none is
   * well before something is known of each.
   */
  #isFirst({ together }: Watched): boolean {
    return [...together].some((id) => {
      const one = this.#watched.get(id);
      return one !== undefined && one.together === together && !isHealthy(one) && one.failures < UNHEALTHY_AFTER;
    });
  }

  /**
   * It was well when it was asked last, but another one of its service has begun to fail since. Perhaps nobody can be
   * reached from here: until it is asked again, nobody knows which.
   */
  #isStale({ target, wellAt }: Watched): boolean {
    return this.#beside(target).some(({ failingSince }) => failingSince !== null && wellAt < failingSince);
  }

  #beside({ id, group }: HealthTarget): Watched[] {
    return [...this.#watched.values()].filter(({ target }) => target.group === group && target.id !== id);
  }

  close(): void {
    for (const id of this.#watched.keys()) this.#drop(id);
  }

  #drop(id: string): void {
    const watched = this.#watched.get(id);
    if (watched?.timer) clearTimeout(watched.timer);
    this.#watched.delete(id);
  }

  async #check(watched: Watched): Promise<void> {
    if (watched.asking) return;
    watched.asking = true;
    if (watched.timer !== null) clearTimeout(watched.timer);
    const began = Date.now();
    const { id, url, path, audience, timeoutMs, intervalMs, restMs } = watched.target;
    const request = { url: `${url}${path}`, method: 'GET', audience, timeoutMs };
    const problem = await this.#problem(request, watched.target.answered);
    watched.asking = false;
    watched.checks++;
    watched.lastError = problem;
    if (problem === null) {
      watched.consecutive++;
      watched.failures = 0;
      watched.wellAt = began;
      watched.failingSince = null;
    } else {
      watched.failures++;
      if (watched.failingSince === null) {
        watched.failingSince = began;
        // Those that rest are asked now: only beside them does this say anything.
        for (const each of this.#beside(watched.target)) void this.#check(each);
      }
      // One that was never healthy begins anew: only twice in a row makes it so.
      if (watched.failures >= UNHEALTHY_AFTER || !isHealthy(watched)) watched.consecutive = 0;
    }
    if (this.#watched.get(id) !== watched) return;
    if (Date.now() - (this.#wantedAt.get(id) ?? 0) > FORGOTTEN_MS + restMs) {
      this.#drop(id);
      return;
    }
    watched.timer = setTimeout(
      () => void this.#check(watched),
      problem === null && isHealthy(watched) ? restMs : intervalMs,
    );
    watched.timer.unref();
  }

  async #problem(request: Parameters<AskService>[0], answered: (status: number) => void): Promise<string | null> {
    try {
      const { status, body } = await this.#ask(request);
      answered(status);
      if (status >= 200 && status < 300) return null;
      const said = body.trim().split('\n')[0]?.slice(0, 200) ?? '';
      return `GET ${request.url} answered ${status}${said === '' ? '' : `: ${said}`}`;
    } catch (error) {
      return `GET ${request.url}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}

const isHealthy = ({ consecutive }: Watched): boolean => consecutive >= HEALTHY_AFTER;
