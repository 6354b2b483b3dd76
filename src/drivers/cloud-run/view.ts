import { isOwn } from '../../domain/cloud/resource.ts';
import { lastPart, type RunService } from '../../domain/cloud/run/api.ts';
import { readRecord, recordText, type ServiceRecord } from '../../domain/cloud/run/record.ts';
import { deepFreeze } from '../../lib/deep-freeze.ts';
import type { Place, RunApi } from './run-api.ts';

/** An environment of a project, and where in the cloud it is. */
export interface CloudEnvironment extends Place {
  scope: { project: string; environment: string };
}

export interface SeenService {
  /** In the cloud. */
  name: string;
  service: RunService;
  record: ServiceRecord;
}

export interface View {
  at: number;
  services: SeenService[];
}

/**
 * What Cloud Run says of environments, for all who look at one at the same time: the loop, the dashboard and telemetry
 * ask much more often than anything changes there, and calls are counted. Whoever changes something says so.
 */
export class Views {
  readonly #api: RunApi;
  readonly #freshMs: number;
  /** `at`: when it was seen; infinite while it is being looked, which others then wait for, too. */
  readonly #known = new Map<string, { at: number; view: Promise<View>; steady: boolean }>();
  readonly #records = new Map<string, { text: string; record: ServiceRecord }>();

  constructor(api: RunApi, freshMs: number) {
    this.#api = api;
    this.#freshMs = freshMs;
  }

  of(environment: CloudEnvironment): Promise<View> {
    const key = keyOf(environment);
    const now = Date.now();
    const known = this.#known.get(key);
    const freshMs = known?.steady === true ? STEADY_TIMES * this.#freshMs : this.#freshMs;
    if (known !== undefined && now - known.at < freshMs && (now >= known.at || known.at === Infinity))
      return known.view;
    const view = this.#look(environment);
    const entry = { at: Infinity, view, steady: false };
    this.#known.set(key, entry);
    const keep = ({ at, services }: View): void => {
      entry.at = at;
      entry.steady = services.every(isSteady);
    };
    view.then(keep, () => undefined);
    // A look that failed is not kept: the next one asks again.
    view.catch(() => this.#forget(key, view));
    return view;
  }

  /** The next look asks again. */
  changed(environment: CloudEnvironment): void {
    this.#known.delete(keyOf(environment));
  }

  #forget(key: string, view: Promise<View>): void {
    if (this.#known.get(key)?.view === view) this.#known.delete(key);
  }

  async #look(environment: CloudEnvironment): Promise<View> {
    const services = await this.#api.services(environment);
    return {
      at: Date.now(),
      services: services
        .filter(({ labels = {} }) => isOwn(labels, environment.scope))
        .map((service) => {
          const name = lastPart(service.name);
          return { name, service, record: this.#recordOf(`${keyOf(environment)}/${name}`, service) };
        }),
    };
  }

  /** Read anew when it was written anew: forty of them are looked at every second. */
  #recordOf(key: string, service: RunService): ServiceRecord {
    const text = recordText(service);
    const known = this.#records.get(key);
    if (known?.text === text) return known.record;
    const record = deepFreeze(readRecord(service));
    if (this.#records.size >= MOST_RECORDS) this.#records.clear();
    this.#records.set(key, { text, record });
    return record;
  }
}

/** Where nothing is being rolled out, only a hand from outside changes anything. */
const STEADY_TIMES = 5;

const isSteady = ({ record: { table } }: SeenService): boolean =>
  table === null || (table.preview === null && table.split === null && table.releases.length === 1);

/** More than a controller has services; the bound only guards against names that come and go. */
const MOST_RECORDS = 1_000;

const keyOf = ({ project, region, scope }: CloudEnvironment): string =>
  `${project}/${region}/${scope.project}/${scope.environment}`;
