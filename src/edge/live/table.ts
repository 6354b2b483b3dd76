import { innerEvidenceOf } from '../../domain/analysis/evidence.ts';
import type { EdgeInstance, EdgeService } from '../../domain/traffic/protocol.ts';
import { LOOPBACK } from '../../domain/traffic/admission.ts';
import type { AdmittedService } from '../../domain/traffic/admission.ts';
import { portId } from '../../platform/ipc-messages.ts';
import type { RouteTable } from '../../domain/traffic/route-table.ts';
import { buildRouteTable, matchRoute } from '../../domain/traffic/route-table.ts';
import { hstsHeader } from '../../domain/traffic/tls.ts';
import type { CheckSettings } from '../health/active-check.ts';
import type { Target } from '../proxy/context.ts';
import { HoldQueue } from '../proxy/hold-queue.ts';
import { StaticSite } from '../static/site.ts';
import type { CounterBook } from '../stats/counters.ts';
import type { RolloutEvidence } from '../stats/evidence.ts';
import { plainPortsOf } from '../tls/wanted-ports.ts';
import { LiveInstance } from './instance.ts';
import { LiveRelease, LiveService } from './service.ts';

/** What an address (`bind:port`) is for: public routes, or one service (perhaps one release of it). */
type AddressUse = { readonly routes: RouteTable<Target> } | { readonly only: Target };

/** The services as they are served. Switching is one synchronous step: a request sees the old table or the new one. */
export class LiveTable {
  readonly #book: CounterBook;
  readonly #holdLimit: number;
  readonly #evidenceFor: (rollout: string) => RolloutEvidence;
  #services = new Map<string, LiveService>();
  #addresses = new Map<string, AddressUse>();

  constructor(book: CounterBook, holdLimit: number, evidenceFor: (rollout: string) => RolloutEvidence) {
    this.#book = book;
    this.#holdLimit = holdLimit;
    this.#evidenceFor = evidenceFor;
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
    return 'only' in use ? use.only : matchRoute(use.routes, host, path);
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
    this.#addresses = addressUses(services);
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

function addressUses(services: ReadonlyMap<string, LiveService>): Map<string, AddressUse> {
  const uses = new Map<string, AddressUse>();
  const routes = new Map<string, { host: string | null; path: string; target: Target }[]>();
  const open = (address: string, route: { host: string | null; path: string; target: Target }): void =>
    void routes.set(address, [...(routes.get(address) ?? []), route]);
  const local = (port: number): string => portId({ port, bind: LOOPBACK });
  const plain = new Set(plainPortsOf([...services.values()].map(({ config }) => config)).map(portId));
  for (const [key, { config }] of services) {
    const target = { key, pinned: null };
    const { tls } = config;
    const secure = tls === undefined ? null : portId(tls);
    const plainly =
      tls?.redirect === true && secure !== null ? { ...target, redirect: { port: tls.port, address: secure } } : target;
    for (const { port, bind = LOOPBACK, host, path } of config.routes) {
      // What listens on this machine alone is not to be reached through another address of the same port.
      open(portId({ port, bind }), { host, path, target: plainly });
      if (tls !== undefined && secure !== null && !plain.has(secure))
        open(secure, { host, path, target: { ...target, hsts: hstsHeader(tls.hsts) } });
    }
    const { internalPort, preview, callers } = config;
    if (internalPort !== null) uses.set(local(internalPort), { only: target });
    if (preview !== null) uses.set(local(preview.port), { only: { key, pinned: preview.release } });
    for (const { port, release } of callers) uses.set(local(port), { only: { key, pinned: null, preferred: release } });
  }
  for (const [address, list] of routes) uses.set(address, { routes: buildRouteTable(list) });
  return uses;
}
