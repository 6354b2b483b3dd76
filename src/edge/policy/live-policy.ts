import { addressList, clientKey } from '../../domain/traffic/address.ts';
import type { EdgePolicy } from '../../domain/traffic/policy.ts';
import type { EdgeService } from '../../domain/traffic/protocol.ts';
import type { AccessLog } from '../access-log/access-log.ts';
import type { Limiter } from './limits.ts';

/** Why somebody is not let in before anybody needs to be asked. */
export type Refusal =
  | { readonly kind: 'address' | 'body' }
  | { readonly kind: 'rate' | 'maintenance'; readonly retryAfterS: number };

interface Maintenance {
  readonly page: string | null;
  readonly retryAfterS: number;
  readonly passes: (address: string) => boolean;
}

/** What one route lets in, ready to be asked. Belongs to public routes: what services ask each other is not looked at. */
export class LivePolicy {
  readonly trusts: ((address: string) => boolean) | null;
  readonly maxBody: number | null;
  readonly pages: ReadonlyMap<number, string> | null;
  readonly log: AccessLog | null;
  readonly basicAuth: EdgePolicy['basicAuth'];
  readonly forwardAuth: EdgePolicy['forwardAuth'];
  readonly maintenance: Maintenance | null;
  /** What distinguishes it from that of another route of the same service. */
  readonly rule: string;
  /** Something has to be looked at besides the body. */
  readonly guards: boolean;
  readonly #allow: ((address: string) => boolean) | null;
  readonly #deny: ((address: string) => boolean) | null;
  readonly #rate: Limiter | null;
  readonly #each: boolean;

  constructor(
    { policy, maxBody }: EdgeService['routes'][number],
    { trustedProxies = [], maintenance = null }: EdgeService,
    shared: {
      pages: ReadonlyMap<number, string> | null;
      maintenancePage: string | null;
      log: AccessLog | null;
      /** Of its limit, if it has one. */
      rate: Limiter | null;
    },
  ) {
    this.trusts = trustedProxies.length === 0 ? null : addressList(trustedProxies);
    this.maxBody = maxBody ?? null;
    this.rule = JSON.stringify(policy ?? null);
    this.pages = shared.pages;
    this.log = shared.log;
    this.basicAuth = policy?.basicAuth ?? null;
    this.forwardAuth = policy?.forwardAuth ?? null;
    const { allow = null, deny = [], rate = null } = policy ?? {};
    this.#allow = allow === null ? null : addressList(allow);
    this.#deny = deny.length === 0 ? null : addressList(deny);
    this.#rate = shared.rate;
    this.#each = rate?.by === 'client';
    this.maintenance =
      maintenance === null
        ? null
        : {
            page: shared.maintenancePage,
            retryAfterS: maintenance.retryAfterS,
            passes: addressList(maintenance.allow),
          };
    this.guards = [this.basicAuth, this.forwardAuth, this.#allow, this.#deny, this.#rate, this.maintenance].some(
      (each) => each !== null,
    );
  }

  get rate(): Limiter | null {
    return this.#rate;
  }

  /** Why this client is refused at once, or null. `now` is monotonic, in ms. */
  refusal(client: string, now: number): Refusal | null | Promise<Refusal | null> {
    if (this.#deny?.(client) === true || this.#allow?.(client) === false) return { kind: 'address' };
    const { maintenance } = this;
    if (maintenance !== null && !maintenance.passes(client))
      return { kind: 'maintenance', retryAfterS: maintenance.retryAfterS };
    const wait = this.#rate?.take(this.#each ? clientKey(client) : '', now) ?? 0;
    return typeof wait === 'number' ? tooOften(wait) : wait.then(tooOften);
  }
}

const tooOften = (wait: number): Refusal | null =>
  wait > 0 ? { kind: 'rate', retryAfterS: Math.ceil(wait / 1000) } : null;
