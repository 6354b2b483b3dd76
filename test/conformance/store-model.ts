import type { Deployment, Release } from '../../src/domain/release/release.ts';
import type { JournalEntry, OperatorRequest, Rollout } from '../../src/domain/rollout/rollout.ts';
import type { CreateRollout, NewJournalEntry, NewRequest, SaveRollout } from '../../src/ports/store.ts';

/** What a store should answer, said as plainly as possible; for comparison in tests. */
export class StoreModel {
  readonly rollouts: Rollout[] = [];
  readonly journal: JournalEntry[] = [];
  readonly requests: OperatorRequest[] = [];
  readonly releases: Release[] = [];
  readonly deployments: Deployment[] = [];
  readonly numbers = new Map<string, number>();
  fence = 0;

  nextFence(): number {
    return ++this.fence;
  }

  reserve(services: string[]): Record<string, number> {
    for (const service of new Set(services)) this.numbers.set(service, (this.numbers.get(service) ?? 0) + 1);
    return Object.fromEntries([...new Set(services)].map((service) => [service, this.numbers.get(service) ?? 0]));
  }

  ensure(wanted: Deployment): 'ok' | 'port-taken' {
    const same = (each: Deployment) => each.service === wanted.service && each.environment === wanted.environment;
    const known = this.deployments.find(same);
    const taken = this.takenPorts();
    const internalPort = known?.internalPort ?? wanted.internalPort;
    const previewPort = known?.previewPort ?? wanted.previewPort;
    const given = [
      ...(known?.internalPort === internalPort ? [] : [internalPort]),
      ...(known?.previewPort === previewPort ? [] : [previewPort]),
    ].filter((port) => port !== null);
    if (given.some((port) => taken.includes(port)) || new Set(given).size < given.length) return 'port-taken';
    if (known === undefined) this.deployments.push({ ...wanted });
    else Object.assign(known, { internalPort, previewPort });
    return 'ok';
  }

  takenPorts(): number[] {
    return this.deployments
      .flatMap(({ internalPort, previewPort }) => [internalPort, previewPort])
      .filter((port) => port !== null)
      .toSorted((a, b) => a - b);
  }

  create(rollout: Rollout, entry: NewJournalEntry): CreateRollout {
    const active = this.rollouts.findLast(
      (each) =>
        each.end === null &&
        each.phase !== 'watching' &&
        each.environment === rollout.environment &&
        each.services.some(({ service }) => rollout.services.some((other) => other.service === service)),
    );
    if (active !== undefined) return { created: false, active };
    this.rollouts.push(rollout);
    this.journal.push({ ...entry, rollout: rollout.id, seq: 1, fence: rollout.fence });
    return { created: true, rollout };
  }

  save(
    rollout: Rollout,
    fence: number,
    entries: NewJournalEntry[],
    deployments: Pick<Deployment, 'service' | 'current' | 'former'>[],
  ): SaveRollout {
    const index = this.rollouts.findIndex(({ id }) => id === rollout.id);
    const stored = this.rollouts[index];
    if (stored === undefined || stored.fence > fence) return { saved: false, reason: 'fence' };
    if (stored.version !== rollout.version) return { saved: false, reason: 'version' };
    const saved = { ...rollout, fence, version: rollout.version + 1 };
    this.rollouts[index] = saved;
    for (const entry of entries) {
      this.journal.push({ ...entry, rollout: rollout.id, seq: this.journalOf(rollout.id).length + 1, fence });
    }
    for (const changed of deployments) this.serve(rollout, changed);
    return { saved: true, rollout: saved };
  }

  private serve({ project, environment }: Rollout, changed: Pick<Deployment, 'service' | 'current' | 'former'>): void {
    const known = this.deployments.find((each) => each.service === changed.service && each.environment === environment);
    if (known !== undefined) Object.assign(known, changed);
    else
      this.deployments.push({
        project,
        environment,
        contracted: null,
        internalPort: null,
        previewPort: null,
        ...changed,
      });
  }

  journalOf(rollout: string): JournalEntry[] {
    return this.journal.filter((entry) => entry.rollout === rollout);
  }

  request(request: NewRequest): OperatorRequest {
    const added = { human: null, ...request, seq: this.requestsOf(request.rollout).length + 1 };
    this.requests.push(added);
    return added;
  }

  requestsOf(rollout: string): OperatorRequest[] {
    return this.requests.filter((request) => request.rollout === rollout);
  }
}
