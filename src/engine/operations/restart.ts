import type { Deployment, Release } from '../../domain/release/release.ts';
import { beginRollout, type Change } from '../../domain/rollout/begin.ts';
import type { Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';
import type { Engine } from '../engine.ts';
import { createOrReplace } from './create.ts';
import type { Begun } from './deploy.ts';
import { currentOf, newReleases, newValues, saidNewValues } from './new-releases.ts';
import { requireUp } from './require-up.ts';

/** A release of the same files and configuration under a new number: fresh instances, fresh secrets, nothing built. */
export async function restart(
  engine: Engine,
  input: { project: string; environment: string; services: string[]; by: string },
): Promise<Begun> {
  const { deps } = engine;
  const scope = { project: input.project, environment: input.environment };
  await requireUp(deps, scope);
  const make = async (serving: Deployment[]): Promise<Rollout> => {
    const { changes, releases } = await freshReleases(deps, scope, serving, input);
    const secrets = saidNewValues(await newValues(deps, releases, serving));
    return beginRollout({
      id: deps.newId(),
      ...scope,
      kind: 'deploy',
      changes,
      approvalsNeeded: 0,
      keepFailed: null,
      by: input.by,
      reason: [`restart of ${input.services.join(', ')} by ${input.by}`, ...secrets].join('; '),
      now: deps.clock.now(),
    });
  };
  const rollout = await createOrReplace(engine, make, { ...scope, replace: false, by: input.by });
  return { rollout, message: rollout.reason };
}

async function freshReleases(
  deps: EngineDeps,
  scope: { project: string; environment: string },
  serving: Deployment[],
  input: { services: string[]; by: string },
): Promise<{ changes: Change[]; releases: Release[] }> {
  const changes: Change[] = [];
  const releases: Release[] = [];
  for (const service of await inOrder(deps, scope, input.services)) {
    const current = currentOf(serving, service);
    const release = current === null ? null : await deps.store.release(scope.project, current);
    if (release === null || release.artifact === null)
      throw new EvenkeelError({
        code: 'service-not-deployed',
        what: `${service} has no release to restart`,
        next: `evenkeel deploy ${service}`,
      });
    const [fresh] = await newReleases(deps, scope, [release.config], release.source, input.by);
    if (fresh === undefined) continue;
    await deps.store.setArtifact(scope.project, fresh.id, release.artifact);
    const alone = release.config.overlap === false;
    const deployment = serving.find((each) => each.service === service);
    const contracts = await isContractDue(deps, release, deployment?.contracted ?? null);
    changes.push({ config: fresh.config, from: release.id, to: fresh.id, old: true, alone, contracts });
    releases.push(fresh);
  }
  return { changes, releases };
}

/** Dependency order, as the file has it; each once. */
async function inOrder(
  deps: Pick<EngineDeps, 'store'>,
  { project, environment }: { project: string; environment: string },
  services: string[],
): Promise<string[]> {
  const known = (await deps.store.environment(project, environment))?.config.services.map(({ name }) => name) ?? [];
  const wanted = new Set(services);
  return [...known.filter((name) => wanted.has(name)), ...[...wanted].filter((name) => !known.includes(name))];
}

/** A restart within the window ends that window: what it would have led to is due after the new one. */
async function isContractDue(deps: EngineDeps, release: Release, contracted: string | null): Promise<boolean> {
  if (release.config.contract === undefined) return false;
  const last = contracted === null ? null : await deps.store.release(release.project, contracted);
  return last?.artifact !== release.artifact || last.configDigest !== release.configDigest;
}
