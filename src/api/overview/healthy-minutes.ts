import type { Scope } from '../../domain/project/scope.ts';
import type { Health } from '../../domain/overview/judge.ts';
import type { ApiDeps } from '../api-deps.ts';
import { environmentStatus } from '../views/environment-status.ts';
import { HOUR_POINTS } from './history.ts';

const MINUTE = 60_000;
/** So often an environment is looked at when nobody asks for it, ms: what the last hour was like is known to who comes then. */
const EVERY_MS = 20_000;

/** How many services of each environment were healthy in each minute of the last hour: the fewest that were seen. */
export class HealthyMinutes {
  readonly #deps: ApiDeps;
  readonly #everyMs: number;
  readonly #minutes = new Map<string, Map<number, number>>();
  /** When it was looked at last, by the monotonic clock. */
  readonly #lookedAt = new Map<string, number>();
  readonly #begun = performance.now();

  constructor(deps: ApiDeps, everyMs = EVERY_MS) {
    this.#deps = deps;
    this.#everyMs = everyMs;
    // Beside the looks of the engine, which end with it: nothing else is to be stopped.
    deps.engine.onLook((scope) => void this.#look(scope).catch(() => undefined));
  }

  note({ project, environment }: Scope, services: readonly { health: Health }[], now: number): void {
    const name = `${project}/${environment}`;
    const minutes = this.#minutes.get(name) ?? new Map<number, number>();
    this.#minutes.set(name, minutes);
    const at = Math.floor(now / MINUTE) * MINUTE;
    const healthy = services.filter(({ health }) => health === 'healthy').length;
    minutes.set(at, Math.min(healthy, minutes.get(at) ?? healthy));
    for (const minute of minutes.keys()) if (minute < at - HOUR_POINTS * MINUTE || minute > at) minutes.delete(minute);
    this.#lookedAt.set(name, performance.now());
  }

  /** Of all of these together; null: of some of them nobody knows, and a sum without them would look like a loss. */
  sumOf(scopes: readonly Scope[], at: number): number | null {
    const known = scopes.map(({ project, environment }) => this.#minutes.get(`${project}/${environment}`)?.get(at));
    if (known.length === 0 || known.includes(undefined)) return null;
    return known.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  }

  /** Forgets what is not there any more. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#minutes.keys()) if (!names.has(name)) this.#minutes.delete(name);
    for (const name of this.#lookedAt.keys()) if (!names.has(name)) this.#lookedAt.delete(name);
  }

  async #look(scope: Scope): Promise<void> {
    const name = `${scope.project}/${scope.environment}`;
    const now = performance.now();
    // Not while a controller starts, which has other things to do.
    if (now - (this.#lookedAt.get(name) ?? this.#begun) < this.#everyMs) return;
    this.#lookedAt.set(name, now);
    const { reads, deps } = this.#deps.engine;
    const record = await reads.environment(scope.project, scope.environment);
    if (record === null) return;
    const { status } = await environmentStatus(this.#deps, record);
    this.note(record, status.services, deps.clock.now());
  }
}
