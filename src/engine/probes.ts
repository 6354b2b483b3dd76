import type { Release } from '../domain/release/release.ts';
import type { Deployment } from '../domain/release/release.ts';
import type { EnvironmentConfig } from '../domain/project/project.ts';
import type { Rollout } from '../domain/rollout/rollout.ts';
import { described } from '../ports/errors.ts';
import type { ProbeRequest } from '../ports/traffic.ts';
import type { EnvironmentTools } from './tools.ts';
import type { WorkContext } from './works.ts';

const PROBE_TIMEOUT_MS = 5_000;

/**
 * Sends one request the way a client would, and remembers which release answered. At most one for each service at a
 * time; wakes the loop when the new release has answered.
 */
export function askThroughEdge(tools: EnvironmentTools, rollout: Rollout, service: string, context: WorkContext): void {
  const { memory, deps } = tools;
  const name = `${rollout.id}/${service}`;
  const request = probeRequest(context.release(rollout, service), context.deployments, context.environment);
  if (memory.probing.has(name) || request === null) return;
  memory.probing.add(name);
  const at = deps.clock.now();
  const to = rollout.services.find((each) => each.service === service)?.to;
  void deps.traffic
    .probe(request)
    .then(
      (reply) => {
        // An answer of any status is an answer of the release; its health was verified before.
        if (reply.release !== null) {
          memory.answered.set(name, { release: reply.release, at });
          memory.unanswered.delete(name);
        } else if (reply.detail !== undefined) memory.unanswered.set(name, reply.detail);
        memory.probing.delete(name);
        // Any other answer is no news: the next look asks again, and not at once.
        if (reply.release === to) tools.wake();
      },
      (error: unknown) => {
        memory.unanswered.set(name, described(error));
        deps.log.warn({ rollout: rollout.id, service }, `no answer through the edge yet: ${String(error)}`);
      },
    )
    .finally(() => memory.probing.delete(name));
}

/** Where a service can be asked: its health path on its public route if it lies there, else on its internal address. */
export function probeRequest(
  release: Release,
  deployments: Deployment[],
  environment: EnvironmentConfig,
): ProbeRequest | null {
  const { config } = release;
  const { project, service } = release;
  const of = { project, environment: release.environment, service, release: null };
  const base = { address: null, method: 'GET', timeoutMs: PROBE_TIMEOUT_MS, of };
  const edge = { ...base, address: addressOf(environment.bind), port: environment.port };
  const health = config.health.path;
  const route = config.routes.find(
    (each) => health !== null && (each.path === '/' || `${health}/`.startsWith(`${each.path}/`)),
  );
  if (route !== undefined && health !== null) return { ...edge, host: route.host, path: health };
  const internal = deployments.find((each) => each.service === release.service)?.internalPort ?? null;
  if (internal !== null) return { ...base, port: internal, host: null, path: health ?? '/' };
  const [first] = config.routes;
  return first === undefined ? null : { ...edge, host: first.host, path: first.path };
}

/** Where what binds an address can be reached on this machine. */
const addressOf = (bind: string): string | null => (['0.0.0.0', '::', '127.0.0.1'].includes(bind) ? null : bind);
