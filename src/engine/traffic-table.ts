import type { CertificateId } from '../domain/certificate/acme.ts';
import { hostsOf } from '../domain/certificate/acme.ts';
import type { InstanceObservation } from '../domain/instance/instance.ts';
import type { EnvironmentConfig } from '../domain/project/project.ts';
import type { Address, Deployment, Release } from '../domain/release/release.ts';
import { belongingTo } from '../domain/rollout/belonging.ts';
import type { DesiredService } from '../domain/rollout/desired.ts';
import type { Rollout } from '../domain/rollout/rollout.ts';
import { addressesOf, type EntryInput, routeEntry, serviceEntry } from './entry.ts';
import { type EdgeRelease, type EdgeService, edgeServiceSchema } from '../domain/traffic/protocol.ts';
import type { EdgeTls } from '../domain/traffic/tls.ts';

import type { Sizes } from './scaling.ts';

/** What the edge's table of an environment is made from. */
export interface TableInput {
  project: string;
  environment: EnvironmentConfig;
  desired: DesiredService[];
  deployments: Deployment[];
  addresses: Address[];
  rollouts: Rollout[];
  instances: InstanceObservation[];
  release: (id: string) => Release | null;
  /** Of passwords that routes ask for; absent: nobody has one. */
  hashOf?: EntryInput['hashOf'];
  artifactPath: (artifact: string) => string;
  /** How many instances a release ought to have; those beyond are on their way out. */
  size?: Sizes;
  /** Where the certificate of a host will be. */
  certificateOf: (id: CertificateId) => { cert: string; key: string } | null;
}

/**
 * The edge's table for an environment. Instances of releases that are not desired any more stay in it as draining
 * until they have ended, so that what they still answer is not cut.
 */
export function trafficTable(input: TableInput): EdgeService[] {
  const table: EdgeService[] = [];
  const entry = entryOf(input);
  const hosts = hostsOf(input.desired.map((each) => ({ routes: routesOf(input, entry, each) })));
  for (const desired of input.desired) {
    const deployment = input.deployments.find((each) => each.service === desired.service);
    const wanted = desired.releases.map((each) => each.release);
    const leaving = [
      ...new Set(
        input.instances
          .filter(
            (each) => each.service === desired.service && each.state !== 'ended' && !wanted.includes(each.release),
          )
          .map((each) => each.release),
      ),
    ];
    const lead = leadRelease(desired, leaving, input.release);
    if (deployment === undefined || lead === null || lead.config.kind === 'worker') continue;
    const { config } = lead;
    const routes = routesOf(input, entry, desired);
    const tls = tlsOf(input, routes, hosts);
    const releases: EdgeRelease[] = [
      ...desired.releases.map((each) =>
        // One that has traffic and ought not to run gives way: what comes in waits for its successor.
        edgeRelease(input, each.release, each.release === desired.early ? 100 : each.weight, config.health, !each.run),
      ),
      ...leaving.map((each) => edgeRelease(input, each, 0, config.health, true)),
    ];
    table.push(
      edgeServiceSchema.parse({
        project: input.project,
        environment: input.environment.name,
        service: desired.service,
        unit: desired.unit,
        routes,
        // TLS opens with the first routes, as the plain port does.
        ...serviceEntry(entry, desired.service),
        ...(tls === undefined || routes.length === 0 ? {} : { tls }),
        internalPort: deployment.internalPort,
        callers: callersOf(input, desired),
        preview:
          desired.preview === null || deployment.previewPort === null
            ? null
            : { port: deployment.previewPort, release: desired.preview },
        releases,
        split: desired.split,
        whenEmpty: 'hold',
        health: config.health && pickHealth(config.health),
        timeoutMs: config.timeoutMs,
        drainMs: config.rollout.drainMs,
      }),
    );
  }
  return table;
}

const entryOf = ({ environment, deployments, hashOf = () => null }: TableInput): EntryInput => ({
  entry: environment.entry,
  switched: environment.switched,
  hashOf,
  addressOf: addressesOf(deployments),
});

/** Certificates that are given, or those of the hosts of the routes; of all hosts where a service has routes for any. */
function tlsOf(
  { environment: { tls, bind }, certificateOf }: TableInput,
  routes: readonly { host: string | null }[],
  all: readonly string[],
): EdgeTls | undefined {
  if (tls === undefined) return undefined;
  const { acme, ...rest } = tls;
  if (acme === undefined) return { ...rest, bind };
  const own = hostsOf([{ routes }]);
  const certificates = (own.length === 0 ? all : own).flatMap((host) => {
    const pair = certificateOf({ directory: acme.directory, host });
    return pair === null ? [] : [{ ...pair, issuedFor: host }];
  });
  return certificates.length === 0 ? undefined : { ...rest, bind, certificates };
}

/** The release whose configuration speaks for the service: the one with most of the traffic. */
function leadRelease(
  desired: DesiredService,
  leaving: string[],
  release: (id: string) => Release | null,
): Release | null {
  const [lead] = desired.releases.toSorted((a, b) => b.weight - a.weight);
  const id = lead?.release ?? leaving[0];
  return id === undefined ? null : release(id);
}

/** While two releases share the traffic, a route that either of them has is open. */
function routesOf(input: TableInput, entry: EntryInput, desired: DesiredService): EdgeService['routes'] {
  const routes = desired.releases
    .filter((each) => each.weight > 0)
    .flatMap((each) => input.release(each.release)?.config.routes ?? []);
  const unique = new Map(routes.map((route) => [`${route.host ?? ''} ${route.path}`, route]));
  return [...unique.values()].map((route) => ({
    port: input.environment.port,
    bind: input.environment.bind,
    ...route,
    ...routeEntry(entry, desired.service, route),
  }));
}

/** Who asks the service at an address of its own, and the release that belongs to them as long as it is wanted. */
function callersOf(input: TableInput, desired: DesiredService): { port: number; release: string | null }[] {
  return input.addresses
    .filter((address) => address.service === desired.service)
    .map(({ release: caller, port }) => {
      const service = input.release(caller)?.service;
      const belonging =
        service === undefined ? null : belongingTo({ service, release: caller }, desired.service, input.rollouts);
      const wanted = desired.releases.some(({ release }) => release === belonging);
      return { port, release: wanted ? belonging : null };
    })
    .toSorted((a, b) => a.port - b.port);
}

function edgeRelease(
  input: TableInput,
  id: string,
  weight: number,
  serviceHealth: Release['config']['health'],
  leaving = false,
): EdgeRelease {
  const release = input.release(id);
  const config = release?.config;
  const most = release === null ? Infinity : (input.size?.(release) ?? Infinity);
  const instances = input.instances
    .filter((each) => each.release === id && each.state !== 'ended' && each.port !== null)
    .map((each) => ({
      id: each.id,
      port: each.port ?? 0,
      startedAt: each.startedAt,
      draining: leaving || each.state === 'stopping' || each.index >= most,
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const folder = config?.static ?? null;
  const own = config === undefined ? null : pickHealth(config.health);
  return {
    release: id,
    weight,
    instances,
    health: own !== null && JSON.stringify(own) !== JSON.stringify(pickHealth(serviceHealth)) ? own : null,
    static:
      folder === null || release === null || release.artifact === null
        ? null
        : { root: join(input.artifactPath(release.artifact), config?.dir ?? '.', folder.dir), spa: folder.spa },
  };
}

const pickHealth = (
  health: Release['config']['health'],
): { path: string | null; graceMs: number; intervalMs: number; timeoutMs: number } => ({
  path: health.path,
  graceMs: health.graceMs,
  intervalMs: health.intervalMs,
  timeoutMs: health.timeoutMs,
});

/** Joins relative folders to an absolute one; the engine knows no file system and needs no more of a path than this. */
function join(base: string, ...parts: string[]): string {
  const segments = parts.flatMap((part) => part.split('/')).filter((segment) => segment !== '' && segment !== '.');
  return [base, ...segments].join('/');
}
