import { innerEvidenceOf } from '../../domain/analysis/evidence.ts';
import type { EdgeInstance, EdgeService } from '../../domain/traffic/protocol.ts';
import { LOOPBACK } from '../../domain/traffic/admission.ts';
import type { AdmittedService } from '../../domain/traffic/admission.ts';
import { portId } from '../../platform/ipc-messages.ts';
import type { RouteTable } from '../../domain/traffic/route-table.ts';
import { buildRouteTable, matchRoute, normaliseHost } from '../../domain/traffic/route-table.ts';
import { looseReading } from '../../domain/traffic/readings.ts';
import { hstsHeader } from '../../domain/traffic/tls.ts';
import type { CheckSettings } from '../health/active-check.ts';
import type { LivePolicies } from '../policy/live-policies.ts';
import type { LivePolicy } from '../policy/live-policy.ts';
import type { Target } from '../proxy/context.ts';
import { HoldQueue } from '../proxy/hold-queue.ts';
import { StaticSite } from '../static/site.ts';
import type { CounterBook } from '../stats/counters.ts';
import type { RolloutEvidence } from '../stats/evidence.ts';
import type { OwnCounts } from '../stats/own-counts.ts';
import { plainPortsOf } from '../tls/wanted-ports.ts';
import { LiveInstance } from './instance.ts';
import { LiveRelease, LiveService } from './service.ts';

/** What an address (`bind:port`) is for: public routes, or one service (perhaps one release of it). */
type AddressUse =
  | {
      readonly routes: RouteTable<Target>;
      /** The same in lower case, where routes of one service have different policies. */
      readonly loose: RouteTable<Target> | null;
      /** For hosts without a route of their own, while all of them belong together. */
      readonly stray: LivePolicy | null;
    }
  | { readonly only: Target };

/** The services as they are served. Switching is one synchronous step: a request sees the old table or the new one. */
export class LiveTable {
  readonly #book: CounterBook;
  readonly #holdLimit: number;
  readonly #evidenceFor: (rollout: string) => RolloutEvidence;
  readonly #policies: LivePolicies;
  #services = new Map<string, LiveService>();
  #addresses = new Map<string, AddressUse>();

  constructor(counts: Pick<OwnCounts, 'book' | 'evidenceFor'>, holdLimit: number, policies: LivePolicies) {
    this.#policies = policies;
    this.#book = counts.book;
    this.#holdLimit = holdLimit;
    this.#evidenceFor = (rollout) => counts.evidenceFor(rollout);
  }

  service(key: string): LiveService | undefined {
    return this.#services.get(key);
  }

  get services(): IterableIterator<LiveService> {
    return this.#services.values();
  }

  /** Where a request that came in at an address (`bind:port`) belongs. `path` is without query. */
  match(address: string, host: string | undefined, path: string): Target | null {
    const use = this.#addresses.get(address);
    if (use === undefined) return null;
    if ('only' in use) return use.only;
    const found = matchRoute(use.routes, host, path);
    return use.loose === null || found === null ? found : readTwice(found, use.loose, host, path);
  }

  /** What holds for a host of which no route matches, or null. */
  stray(address: string, host: string | undefined): LivePolicy | null {
    const use = this.#addresses.get(address);
    if (use === undefined || 'only' in use) return null;
    const own = host === undefined ? undefined : use.routes.hosts.get(normaliseHost(host));
    return own?.at(-1)?.target.policy ?? use.stray;
  }

  /** Replaces the table. Instances that stay keep their connections and their health; those that go drain. */
  replace(admitted: Iterable<AdmittedService>): void {
    const before = this.#services;
    const services = new Map<string, LiveService>();
    const configs: EdgeService[] = [];
    for (const { key, fence, config } of admitted) {
      if (config === null) continue;
      configs.push(config);
      services.set(key, this.#build(key, fence, config, before.get(key)));
    }
    this.#services = services;
    this.#addresses = addressUses(services, this.#policies.replace(configs));
    for (const [key, old] of before) this.#retire(old, services.get(key));
    for (const [key, service] of services) moveOver(before.get(key), service);
    for (const service of services.values()) service.held.wake();
  }

  #build(key: string, fence: number, config: EdgeService, before: LiveService | undefined): LiveService {
    const known = new Map(instancesOf(before).map((instance) => [instance.id, instance]));
    const sites = new Map([...(before?.releases.values() ?? [])].map(({ name, site }) => [name, site]));
    const releases = new Map<string, LiveRelease>();
    for (const each of config.releases) {
      const instances = each.instances.map((instance) =>
        this.#instance(key, instance, config.drainMs, each.health ?? config.health, known.get(instance.id)),
      );
      const site = each.static === null ? null : keepSite(sites.get(each.release), each.static);
      releases.set(each.release, new LiveRelease(each, instances, site, this.#book.release(key, each.release)));
    }
    return new LiveService({
      key,
      fence,
      config,
      releases,
      counters: this.#book.service(key),
      evidence: config.split === null ? null : this.#evidenceFor(config.split.rollout),
      innerEvidence:
        config.split === null || config.callers.every(({ release }) => release === null)
          ? null
          : this.#evidenceFor(innerEvidenceOf(config.split.rollout)),
      held: before?.held ?? new HoldQueue(this.#holdLimit),
    });
  }

  #instance(
    key: string,
    config: EdgeInstance,
    drainMs: number,
    health: CheckSettings,
    known: LiveInstance | undefined,
  ): LiveInstance {
    const live =
      known !== undefined && known.port === config.port && known.startedAt === config.startedAt
        ? known
        : new LiveInstance(config, health, () => this.#healthChanged(key));
    live.check.configure(health);
    live.check.start();
    if (config.draining) live.drain(drainMs);
    else live.undrain();
    return live;
  }

  #healthChanged(key: string): void {
    const service = this.#services.get(key);
    if (service !== undefined && service.held.size > 0) service.held.wake();
  }

  #retire(old: LiveService, now: LiveService | undefined): void {
    const kept = new Set(instancesOf(now));
    for (const instance of instancesOf(old)) if (!kept.has(instance)) instance.leave(old.config.drainMs);
    if (now === undefined) old.held.wake();
  }

  stop(): void {
    for (const service of this.#services.values()) {
      for (const instance of instancesOf(service)) {
        instance.check.stop();
        instance.pool.destroy();
      }
    }
  }
}

/** Long-lived connections follow the share: they leave a release that has lost all of its own to another. */
function moveOver(before: LiveService | undefined, now: LiveService): void {
  if (now.shares.length === 0) return;
  for (const { name, weight, instances } of now.releases.values()) {
    const lost = weight === 0 && (before?.releases.get(name)?.weight ?? 0) > 0;
    for (const instance of instances) {
      if (lost) instance.cede(now.config.drainMs);
      else if (weight > 0) instance.regain();
    }
  }
}

const instancesOf = (service: LiveService | undefined): LiveInstance[] =>
  [...(service?.releases.values() ?? [])].flatMap(({ instances }) => instances);

const keepSite = (known: StaticSite | null | undefined, { root, spa }: { root: string; spa: boolean }): StaticSite =>
  known?.root === root && known.spa === spa ? known : new StaticSite(root, spa);

interface TableRoute {
  readonly host: string | null;
  readonly path: string;
  readonly target: Target;
}

/** Refuses what one reading of its path takes past the policy that another one meets. */
function readTwice(found: Target, loose: RouteTable<Target>, host: string | undefined, path: string): Target {
  const other = matchRoute(loose, host, looseReading(path));
  if (other === null || other.key !== found.key || ruleOf(other) === ruleOf(found)) return found;
  return { ...found, policy: found.policy ?? other.policy, ambiguous: true };
}

const ruleOf = ({ policy }: Target): string => policy?.rule ?? NO_RULE;
const NO_RULE = 'null';

function usesOf(routes: readonly TableRoute[]): AddressUse {
  const rules = new Map<string, Set<string>>();
  for (const { target } of routes) rules.set(target.key, (rules.get(target.key) ?? new Set()).add(ruleOf(target)));
  const varied = [...rules.values()].some((each) => each.size > 1);
  const lower = routes.map((route) => ({ ...route, path: route.path.toLowerCase() }));
  const environments = new Set(routes.map(({ target: { key } }) => key.slice(0, key.lastIndexOf('/'))));
  return {
    routes: buildRouteTable(routes),
    loose: varied ? buildRouteTable(lower) : null,
    stray: environments.size === 1 ? (routes.at(-1)?.target.policy ?? null) : null,
  };
}

function addressUses(
  services: ReadonlyMap<string, LiveService>,
  policyOf: ReturnType<LivePolicies['replace']>,
): Map<string, AddressUse> {
  const uses = new Map<string, AddressUse>();
  const routes = new Map<string, TableRoute[]>();
  const open = (address: string, route: TableRoute): void =>
    void routes.set(address, [...(routes.get(address) ?? []), route]);
  const local = (port: number): string => portId({ port, bind: LOOPBACK });
  const plain = new Set(plainPortsOf([...services.values()].map(({ config }) => config)).map(portId));
  for (const [key, { config }] of services) {
    const { tls } = config;
    const secure = tls === undefined ? null : portId(tls);
    for (const route of config.routes) {
      const { port, bind = LOOPBACK, host, path } = route;
      const policy = policyOf(config, route);
      const target: Target = policy === undefined ? { key, pinned: null } : { key, pinned: null, policy };
      const plainly =
        tls?.redirect === true && secure !== null
          ? { ...target, redirect: { port: tls.port, address: secure } }
          : target;
      // What listens on this machine alone is not to be reached through another address of the same port.
      open(portId({ port, bind }), { host, path, target: plainly });
      if (tls !== undefined && secure !== null && !plain.has(secure))
        open(secure, { host, path, target: { ...target, hsts: hstsHeader(tls.hsts) } });
    }
    const { internalPort, preview, callers } = config;
    if (internalPort !== null) uses.set(local(internalPort), { only: { key, pinned: null } });
    if (preview !== null) uses.set(local(preview.port), { only: { key, pinned: preview.release } });
    for (const { port, release } of callers) uses.set(local(port), { only: { key, pinned: null, preferred: release } });
  }
  for (const [address, list] of routes) uses.set(address, usesOf(list));
  return uses;
}
