import type { Builder } from '../ports/builder.ts';
import { lateBy, notActing, type Permit } from '../ports/permit.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { JobRunner, Runtime } from '../ports/runtime.ts';
import type { Traffic } from '../ports/traffic.ts';

/**
 * Drivers whose acts ask for permission first. What takes its time before it acts (a working copy, say) is given the
 * same permit besides, and asks again when it comes to it: a controller may be stopped in between, and continued when
 * another one acts.
 */

/**
 * The permit of a controller. It looks at both: the lease, which runs out by itself while nobody else may be there, and
 * the highest fence that has acted here (`highest`), which says at once that somebody is. Cheap enough for every act.
 */
export function permitOf(
  highest: () => number,
  acting: { fence: number; holds(): boolean },
  onFenced: () => void,
): Permit {
  return () => {
    const known = highest();
    if (known > acting.fence) {
      onFenced();
      throw lateBy(known, acting.fence);
    }
    if (!acting.holds()) throw notActing('Its lease has not been renewed in time.');
  };
}

export function fencedRuntime(runtime: Runtime, permit: Permit): Runtime {
  return {
    kind: runtime.kind,
    start: allowed(permit, (spec) => runtime.start(spec)),
    stop: allowed(permit, (id, how) => runtime.stop(id, how)),
    remove: allowed(permit, (id) => runtime.remove(id)),
    observe: (scope) => runtime.observe(scope),
    allocatePort: () => runtime.allocatePort(),
  };
}

export function fencedJobs(jobs: JobRunner, permit: Permit): JobRunner {
  return {
    start: allowed(permit, (spec) => jobs.start(spec)),
    cancel: allowed(permit, (id, how) => jobs.cancel(id, how)),
    remove: allowed(permit, (id) => jobs.remove(id)),
    observe: (id) => jobs.observe(id),
  };
}

export function fencedBuilder(builder: Builder, permit: Permit): Builder {
  return {
    examine: (root, services, environment) => builder.examine(root, services, environment),
    start: allowed(permit, (request) => builder.start(request)),
    cancel: allowed(permit, (id) => builder.cancel(id)),
    remove: allowed(permit, (id) => builder.remove(id)),
    collect: allowed(permit, (keep) => builder.collect(keep)),
    observe: (id) => builder.observe(id),
    inputDigest: (root, service) => builder.inputDigest(root, service),
    artifactOf: (digest) => builder.artifactOf(digest),
    sourceFiles: (root, service) => builder.sourceFiles(root, service),
    artifactFiles: (artifact) => builder.artifactFiles(artifact),
    artifactPath: (artifact) => builder.artifactPath(artifact),
    has: (artifact) => builder.has(artifact),
    sourceInfo: (root, label) => builder.sourceInfo(root, label),
  };
}

export function fencedTraffic(traffic: Traffic, permit: Permit): Traffic {
  return {
    apply: allowed(permit, (command) => traffic.apply(command)),
    state: (asked) => traffic.state(asked),
    stats: (asked) => traffic.stats(asked),
    probe: (request) => traffic.probe(request),
  };
}

export function fencedSecrets(secrets: Secrets, permit: Permit): Secrets {
  return {
    set: allowed(permit, (...args) => secrets.set(...args)),
    setAll: allowed(permit, (...args) => secrets.setAll(...args)),
    remove: allowed(permit, (...args) => secrets.remove(...args)),
    forgetFormer: allowed(permit, (...args) => secrets.forgetFormer(...args)),
    list: (...args) => secrets.list(...args),
    resolve: (...args) => secrets.resolve(...args),
  };
}

/** Nothing lies between the permission and the call. */
function allowed<Args extends unknown[], T>(
  permit: Permit,
  act: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
  return async (...args) => {
    permit();
    return act(...args);
  };
}
