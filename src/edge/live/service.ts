import type { EdgeRelease, EdgeService } from '../../domain/traffic/protocol.ts';
import type { Arm } from '../../domain/analysis/evidence.ts';
import { normalisePath } from '../../domain/traffic/route-table.ts';
import type { Share } from '../../domain/traffic/split.ts';
import { layOut, ownerOf } from '../../domain/traffic/split.ts';
import type { HoldQueue } from '../proxy/hold-queue.ts';
import type { ReleaseCounters, ServiceCounters } from '../stats/counters.ts';
import type { RolloutEvidence } from '../stats/evidence.ts';
import type { StaticSite } from '../static/site.ts';
import type { LiveInstance } from './instance.ts';

/** A release that can be asked: its instances, or its folder. */
export class LiveRelease {
  readonly name: string;
  readonly weight: number;
  readonly instances: readonly LiveInstance[];
  readonly site: StaticSite | null;
  readonly counters: ReleaseCounters;
  #turn = 0;

  constructor(
    config: EdgeRelease,
    instances: readonly LiveInstance[],
    site: StaticSite | null,
    counters: ReleaseCounters,
  ) {
    this.name = config.release;
    this.weight = config.weight;
    this.instances = instances;
    this.site = site;
    this.counters = counters;
  }

  get available(): boolean {
    return this.site !== null || this.instances.some((instance) => instance.usable);
  }

  /** The least busy usable instance, in turn among equals; not `except`, unless there is no other. */
  pick(except: LiveInstance | null): LiveInstance | null {
    const { instances } = this;
    const count = instances.length;
    this.#turn = (this.#turn + 1) % Math.max(1, count);
    let best: LiveInstance | null = null;
    for (let i = 0; i < count; i++) {
      const instance = instances[(this.#turn + i) % count];
      if (instance === undefined || !instance.usable || instance === except) continue;
      if (best === null || instance.inFlight < best.inFlight) best = instance;
    }
    return best ?? (except?.usable === true && instances.includes(except) ? except : null);
  }

  /** Takes an instance out after failed connects, but never more than half: then checks alone decide. */
  mayEject(): boolean {
    const ejected = this.instances.filter((instance) => instance.ejected).length;
    return ejected + 1 <= Math.floor(this.instances.length / 2);
  }
}

/** A service as it is served now. Replaced as a whole by every command; what it holds (queue, counters) moves on. */
export class LiveService {
  readonly key: string;
  readonly fence: number;
  readonly config: EdgeService;
  readonly releases: ReadonlyMap<string, LiveRelease>;
  readonly shares: readonly Share[];
  readonly counters: ServiceCounters;
  readonly evidence: RolloutEvidence | null;
  /** Of requests whose release was not chosen by chance but by who asked. */
  readonly innerEvidence: RolloutEvidence | null;
  readonly held: HoldQueue;
  /** A weight lies strictly between 0 and 100: sessions must be told apart. */
  readonly splits: boolean;
  /** The one path all its routes lie at, or `/`: where a static site's own paths begin. */
  readonly prefix: string;
  /** Percent of sessions that the canary receives. */
  readonly canaryWeight: number;

  constructor(parts: {
    key: string;
    fence: number;
    config: EdgeService;
    releases: ReadonlyMap<string, LiveRelease>;
    counters: ServiceCounters;
    evidence: RolloutEvidence | null;
    innerEvidence: RolloutEvidence | null;
    held: HoldQueue;
  }) {
    this.key = parts.key;
    this.fence = parts.fence;
    this.config = parts.config;
    this.releases = parts.releases;
    this.counters = parts.counters;
    this.evidence = parts.evidence;
    this.innerEvidence = parts.innerEvidence;
    this.held = parts.held;
    this.shares = layOut(parts.config);
    this.splits = this.shares.length > 1;
    const paths = new Set(parts.config.routes.map(({ path }) => normalisePath(path)));
    this.prefix = paths.size === 1 ? ([...paths][0] ?? '/') : '/';
    const canary = parts.config.split?.canary;
    this.canaryWeight = parts.config.releases.find(({ release }) => release === canary)?.weight ?? 0;
  }

  /** The release that owns a session, whether or not it can answer. */
  owner(sessionHash: number): LiveRelease | null {
    const name = ownerOf(this.shares, sessionHash);
    return name === null ? null : (this.releases.get(name) ?? null);
  }

  /** Who answers for `owner`: itself, or another release with a share while it has no usable instance. */
  standIn(owner: LiveRelease): LiveRelease | null {
    if (owner.available) return owner;
    for (const share of this.shares) {
      const other = this.releases.get(share.release);
      if (other !== undefined && other !== owner && other.available) return other;
    }
    return null;
  }

  arm(release: LiveRelease): Arm | null {
    const { split } = this.config;
    if (split === null) return null;
    if (release.name === split.canary) return 'canary';
    return release.name === split.baseline ? 'baseline' : null;
  }

  /** Shares in percent as sessions meet them now. */
  effective(): { release: string; weight: number }[] {
    const weights = new Map(this.config.releases.map(({ release }) => [release, 0]));
    for (const { release, from, to } of this.shares) {
      const owner = this.releases.get(release);
      const server = owner === undefined ? null : this.standIn(owner);
      if (server !== null) weights.set(server.name, (weights.get(server.name) ?? 0) + to - from);
    }
    return [...weights].map(([release, weight]) => ({ release, weight }));
  }
}
