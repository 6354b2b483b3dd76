import { isEverywhere } from '../traffic/admission.ts';
import { normaliseHost, normalisePath } from '../traffic/route-table.ts';
import type { Listen } from './project.ts';

/** A public route as a service wants it, or has it. */
export interface Claim extends Listen {
  project: string;
  environment: string;
  service: string;
  host: string | null;
  path: string;
  /** Over TLS; a port has either all of its routes in plain or none. */
  tls: boolean;
}

/**
 * Two services that want the same route, or that want one port at addresses of which one includes the other, or one port
 * in plain and over TLS.
 */
export interface Clash {
  kind: 'route' | 'address' | 'scheme';
  wanted: Claim;
  taken: Claim;
}

/** The first of `wanted` that cannot be had beside `taken`, or null. Pure. */
export function firstClash(wanted: Claim[], taken: Claim[]): Clash | null {
  for (const one of wanted) {
    const samePort = taken.filter((each) => each.port === one.port);
    const scheme = samePort.find((each) => each.tls !== one.tls);
    if (scheme !== undefined) return { kind: 'scheme', wanted: one, taken: scheme };
    const route = samePort.find((each) => hostOf(each) === hostOf(one) && pathOf(each) === pathOf(one));
    if (route !== undefined) return { kind: 'route', wanted: one, taken: route };
    const address = samePort.find(
      (each) => each.bind !== one.bind && (isEverywhere(each.bind, one.bind) || isEverywhere(one.bind, each.bind)),
    );
    if (address !== undefined) return { kind: 'address', wanted: one, taken: address };
  }
  return null;
}

/** As people write it: `chat.example:8080/api`, `*:8080/` for any host. */
export const routeName = (claim: Claim): string => `${hostOf(claim) ?? '*'}:${claim.port}${pathOf(claim)}`;

const hostOf = ({ host }: Claim): string | null => (host === null ? null : normaliseHost(host));
const pathOf = ({ path }: Claim): string => normalisePath(path);
