import type { Listen } from '../../../src/domain/project/project.ts';
import type { Address, Deployment, Release } from '../../../src/domain/release/release.ts';
import { isPromoted } from '../../../src/domain/rollout/active.ts';
import type { JournalEntry, OperatorRequest, Rollout } from '../../../src/domain/rollout/rollout.ts';
import { EvenkeelError } from '../../../src/ports/errors.ts';
import { memoryAudit, memoryKeys } from './memory-audit.ts';
import { memoryScales } from './memory-scales.ts';
import { memoryRuns } from './memory-runs.ts';
import type {
  EnvironmentRecord,
  Lease,
  NewJournalEntry,
  Serving,
  ServingChange,
  Store,
} from '../../../src/ports/store.ts';

/**
 * A store in memory that passes the conformance suite and is fast enough for thousands of histories. What is kept is
 * frozen, so that whoever changes what he was given throws.
 */
export function memoryStore(
  now: () => number = Date.now,
): Store & { leaseNow(): { fence: number; expiresAt: number } } {
  const environments = new Map<string, EnvironmentRecord>();
  const numbers = new Map<string, number>();
  const releases = new Map<string, Release>();
  const deployments = new Map<string, Deployment>();
  const addresses = new Map<string, Address>();
  const rollouts = new Map<string, Rollout>();
  const journal = new Map<string, JournalEntry[]>();
  const requests = new Map<string, OperatorRequest[]>();
  let fence = 0;
  let acting: number | null = null;
  let leased: { holder: string; about: string; fence: number; expiresAt: number } | null = null;
  let closed = false;

  const open = (): void => {
    if (closed) throw new EvenkeelError({ code: 'store-closed', what: 'The store is closed.' });
  };
  const inScope = (project: string, environment: string): Deployment[] =>
    [...deployments.values()]
      .filter((each) => each.project === project && each.environment === environment)
      .toSorted((a, b) => (a.service < b.service ? -1 : 1));
  const ports = (): number[] =>
    [
      ...[...deployments.values()].flatMap((each) => [each.internalPort, each.previewPort]),
      ...[...addresses.values()].map((each) => each.port),
    ]
      .filter((port) => port !== null)
      .toSorted((a, b) => a - b);
  const newest = (): Rollout[] => [...rollouts.values()].toReversed();
  const found = (id: string): Rollout => {
    const rollout = rollouts.get(id);
    if (rollout === undefined)
      throw new EvenkeelError({ code: 'rollout-not-found', what: `There is no rollout ${id}.` });
    return rollout;
  };
  const write = (rollout: string, entries: NewJournalEntry[], by: number): void => {
    const lines = journal.get(rollout) ?? [];
    journal.set(rollout, lines);
    for (const entry of entries) lines.push(keep({ ...entry, rollout, seq: lines.length + 1, fence: by }));
  };
  const serve = ({ project, environment }: Rollout, changes: ServingChange[]): void => {
    for (const { service, ...change } of changes) {
      const key = keyOf(project, environment, service);
      const before = deployments.get(key) ?? empty(project, environment, service);
      deployments.set(key, keep({ ...before, ...change }));
    }
  };

  /** One transaction: nothing else happens meanwhile, and nothing is answered in the same turn. */
  const transaction = async <T>(act: () => T): Promise<T> => {
    open();
    const result = act();
    await Promise.resolve();
    return result;
  };
  const change = <T>(act: () => T): Promise<T> =>
    transaction(() => {
      if (acting !== null && fence > acting)
        throw new EvenkeelError({ code: 'store-fenced', what: 'Another controller acts.', retryable: true });
      return act();
    });
  const lease = (): Lease | null => {
    if (leased === null) return null;
    const { holder, about, fence: its, expiresAt } = leased;
    return { holder, about, fence: its, leftMs: expiresAt - now() };
  };
  const isHeldBy = (held: { holder: string; fence: number }): boolean =>
    leased !== null && leased.holder === held.holder && leased.fence === held.fence;

  return {
    ...memoryRuns(transaction, change),
    ...memoryScales(transaction, change),
    ...memoryAudit(transaction, change),
    ...memoryKeys(change),
    leaseNow: () => ({ fence: leased?.fence ?? 0, expiresAt: leased?.expiresAt ?? 0 }),
    nextFence: () => transaction(() => ++fence),
    actAs: (its) => void (acting = its),

    lease: () => transaction(lease),
    takeLease: ({ holder, about, ms, dead }) =>
      transaction(() => {
        const known = lease();
        if (known !== null && known.leftMs > 0 && known.fence !== dead) return { taken: false, lease: known };
        leased = { holder, about, fence: ++fence, expiresAt: now() + ms };
        return { taken: true, fence };
      }),
    renewLease: ({ ms, ...held }) =>
      transaction(() => {
        if (leased === null || !isHeldBy(held)) return false;
        leased = { ...leased, expiresAt: now() + ms };
        return true;
      }),
    giveUpLease: (held) =>
      transaction(() => {
        if (leased !== null && isHeldBy(held)) leased = { ...leased, holder: '', about: '', expiresAt: 0 };
      }),

    saveEnvironment: (record, { keepListen } = { keepListen: false }) =>
      change(() => {
        const key = keyOf(record.project, record.environment);
        const known = keepListen ? environments.get(key) : undefined;
        environments.set(key, keep(known === undefined ? record : at(record, known.config.environment)));
      }),
    environment: (project, environment) => transaction(() => environments.get(keyOf(project, environment)) ?? null),
    environments: () =>
      transaction(() => [...environments].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record)),

    reserveReleaseNumbers: (project, services) =>
      change(() => {
        const next = new Map<string, number>();
        for (const service of new Set(services)) {
          const number = (numbers.get(keyOf(project, service)) ?? 0) + 1;
          numbers.set(keyOf(project, service), number);
          next.set(service, number);
        }
        return Object.fromEntries(next);
      }),
    addReleases: (added) =>
      change(() => {
        const known = added.find((each) => releases.has(keyOf(each.project, each.id)));
        if (known !== undefined) throw conflict(known.id);
        for (const each of added) releases.set(keyOf(each.project, each.id), keep(each));
      }),
    setArtifact: (project, id, artifact) =>
      change(() => {
        const release = releases.get(keyOf(project, id));
        if (release === undefined) throw new EvenkeelError({ code: 'release-not-found', what: `There is no ${id}.` });
        if (release.artifact !== null && release.artifact !== artifact)
          throw new EvenkeelError({ code: 'release-immutable', what: `${id} has an artifact already.`, exit: 2 });
        releases.set(keyOf(project, id), keep({ ...release, artifact }));
      }),
    release: (project, id) => transaction(() => releases.get(keyOf(project, id)) ?? null),
    releases: ({ project, environment, service, limit = Infinity }) =>
      transaction(() => {
        const all = [...releases.values()]
          .toReversed()
          .filter((each) => each.project === project && (environment ?? each.environment) === each.environment)
          .filter((each) => (service ?? each.service) === each.service);
        return (service === undefined ? all : all.toSorted((a, b) => b.number - a.number)).slice(0, limit);
      }),

    deployments: (project, environment) => transaction(() => inScope(project, environment)),
    ensureDeployments: (wanted) =>
      change(() => {
        const taken = new Set(ports());
        const made = wanted.map((each) => {
          const before = deployments.get(keyOf(each.project, each.environment, each.service));
          const given = (kind: 'internalPort' | 'previewPort'): number | null => {
            const known = before?.[kind] ?? null;
            const port = known ?? each[kind];
            if (known === null && port !== null && taken.has(port)) throw portTaken(port);
            if (port !== null) taken.add(port);
            return port;
          };
          return { ...(before ?? each), internalPort: given('internalPort'), previewPort: given('previewPort') };
        });
        for (const each of made) deployments.set(keyOf(each.project, each.environment, each.service), keep(each));
      }),
    takenPorts: () => transaction(ports),

    addresses: (project, environment) =>
      transaction(() =>
        [...addresses]
          .filter(([, each]) => each.project === project && each.environment === environment)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([, each]) => each),
      ),
    giveAddresses: (wanted) =>
      change(() => {
        const keyed = wanted.map((each): [string, Address] => [
          keyOf(each.project, each.environment, each.release, each.service),
          each,
        ]);
        const missing = keyed.filter(([key]) => !addresses.has(key));
        const taken = new Set(ports());
        for (const [, { port }] of missing) {
          if (taken.has(port)) throw portTaken(port);
          taken.add(port);
        }
        for (const [key, each] of missing) addresses.set(key, keep(each));
      }),
    takeAddresses: ({ project, environment }, gone) =>
      change(() => {
        for (const [key, each] of addresses)
          if (each.project === project && each.environment === environment && gone.includes(each.release))
            addresses.delete(key);
      }),

    createRollout: (rollout, entry, basedOn = []) =>
      change(() => {
        const names = rollout.services.map(({ service }) => service);
        const active = newest().find(
          (each) =>
            isBlocking(each) &&
            each.project === rollout.project &&
            each.environment === rollout.environment &&
            each.services.some(({ service }) => names.includes(service)),
        );
        if (active !== undefined) return { created: false, active };
        const serving = inScope(rollout.project, rollout.environment);
        const current = ({ service }: Serving): string | null =>
          serving.find((each) => each.service === service)?.current ?? null;
        if (basedOn.some((each) => each.current !== current(each))) return { created: false, active: null };
        if (rollouts.has(rollout.id)) throw conflict(rollout.id);
        rollouts.set(rollout.id, keep(rollout));
        write(rollout.id, [entry], rollout.fence);
        return { created: true, rollout };
      }),
    rollout: (id) => transaction(() => rollouts.get(id) ?? null),
    rollouts: ({ project, environment, service, unsettled, limit = Infinity }) =>
      transaction(() =>
        newest()
          .filter((each) => (project ?? each.project) === each.project)
          .filter((each) => (environment ?? each.environment) === each.environment)
          .filter((each) => service === undefined || each.services.some((part) => part.service === service))
          .filter((each) => unsettled !== true || each.end === null || !each.settled)
          .slice(0, limit),
      ),
    saveRollout: (rollout, by, entries, changes = [], listen = null) =>
      change(() => {
        const before = found(rollout.id);
        if (before.fence > by) return { saved: false, reason: 'fence' };
        if (before.version !== rollout.version) return { saved: false, reason: 'version' };
        const saved = keep({ ...rollout, fence: by, version: rollout.version + 1 });
        rollouts.set(rollout.id, saved);
        write(rollout.id, entries, by);
        serve(saved, changes);
        const environment = environments.get(keyOf(saved.project, saved.environment));
        if (
          listen !== null &&
          environment !== undefined &&
          (listen.from === null || listensAt(environment, listen.from))
        )
          environments.set(keyOf(saved.project, saved.environment), keep(at(environment, listen.to)));
        return { saved: true, rollout: saved };
      }),
    journal: (rollout) => transaction(() => [...(journal.get(rollout) ?? [])]),

    addRequest: (request) =>
      change(() => {
        found(request.rollout);
        const asked = requests.get(request.rollout) ?? [];
        requests.set(request.rollout, asked);
        const numbered = keep({ human: null, ...request, seq: asked.length + 1 });
        asked.push(numbered);
        return numbered;
      }),
    requests: (rollout, afterSeq) =>
      transaction(() => (requests.get(rollout) ?? []).filter((each) => each.seq > afterSeq)),

    async close() {
      closed = true;
    },
  };
}

const listensAt = ({ config }: EnvironmentRecord, { port, bind }: Listen): boolean =>
  config.environment.port === port && config.environment.bind === bind;

const at = (record: EnvironmentRecord, { port, bind }: Listen): EnvironmentRecord => ({
  ...record,
  config: { ...record.config, environment: { ...record.config.environment, port, bind } },
});

const keyOf = (...parts: string[]): string => parts.join('\0');

/** No other rollout of its services may begin: neither over nor in its window. */
const isBlocking = (rollout: Rollout): boolean => rollout.end === null && !isPromoted(rollout);

const empty = (project: string, environment: string, service: string): Deployment => ({
  project,
  environment,
  service,
  current: null,
  former: null,
  contracted: null,
  internalPort: null,
  previewPort: null,
});

const conflict = (id: string): EvenkeelError => new EvenkeelError({ code: 'store-conflict', what: `${id} exists.` });

const portTaken = (port: number): EvenkeelError =>
  new EvenkeelError({ code: 'port-taken', what: `The port ${port} is taken.`, retryable: true, exit: 2 });

/** As it is now and for good. Throws `store-invalid` for a number that JSON cannot hold. */
function keep<T>(value: T): T {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new EvenkeelError({ code: 'store-invalid', what: `${value} cannot be kept.` });
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const each of Object.values(value)) keep(each);
  return Object.freeze(value);
}
