import { configChanges, noChanges } from '../../domain/release/config-changes.ts';
import type { Release } from '../../domain/release/release.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Call, Handlers } from '../call.ts';
import type { Comparison } from '../contract/comparison.ts';
import { environmentUnknown } from './overview.ts';

type Side = { deployed: boolean; release: Release | null };

export function comparisonHandlers(deps: ApiDeps): Pick<Handlers, 'compareEnvironments'> {
  const { reads, deps: drivers } = deps.engine;
  return {
    async compareEnvironments({ project, environments: list }, call) {
      const environments = list.split(',');
      refuseTwice(environments);
      const sides = await Promise.all(
        environments.map(async (environment) => {
          const seen = call.may('environment:read', { project, environment });
          const record = seen ? await reads.environment(project, environment) : null;
          if (record === null) throw environmentUnknown(project, environment);
          const deployments = await reads.deployments(project, environment);
          const found = deployments.map(async ({ service, current }): Promise<[string, Side]> => {
            const release = current === null ? null : await reads.release(project, current);
            return [service, { deployed: true, release }];
          });
          // What is in the file only has no deployment yet, and what was taken out of it serves nothing.
          const named = new Set(record.config.services.map(({ name }) => name));
          const all = await Promise.all(found);
          return new Map(all.filter(([service, { release }]) => named.has(service) || release !== null));
        }),
      );
      const names = [...new Set(sides.flatMap((side) => [...side.keys()]))].toSorted();
      return {
        project,
        environments,
        services: names.map((service) =>
          compared(
            service,
            sides.map((side) => side.get(service) ?? null),
          ),
        ),
        secrets: await secretsOf(drivers.secrets, call, project, environments),
      };
    },
  };
}

function compared(service: string, sides: (Side | null)[]): Comparison['services'][number] {
  const releases = sides.map((side) => side?.release ?? null);
  const [first = null] = releases;
  const config = releases.map((release) =>
    release === null || first === null || release === first
      ? { added: [], removed: [], changed: [] }
      : configChanges(first.config, release.config),
  );
  const everywhere = releases.every((each) => each !== null);
  return {
    service,
    sides: sides.map((side) => {
      if (side === null) return null;
      const { release } = side;
      return {
        release: release?.id ?? null,
        label: release?.source.label ?? null,
        commit: release?.source.commit ?? null,
        dirty: release?.source.dirty ?? false,
        artifact: release?.artifact ?? null,
        configDigest: release?.configDigest ?? null,
      };
    }),
    sameArtifact: everywhere && new Set(releases.map((each) => each.artifact)).size === 1,
    sameConfig: everywhere && config.every(noChanges),
    config,
  };
}

/** By their names, and only for who may read the names everywhere: half of them would look as if the rest were missing. */
async function secretsOf(
  secrets: ApiDeps['engine']['deps']['secrets'],
  call: Call,
  project: string,
  environments: readonly string[],
): Promise<Comparison['secrets']> {
  if (!environments.every((environment) => call.may('secrets:read', { project, environment }))) return null;
  const known = await Promise.all(
    environments.map(async (environment) => {
      const list = await secrets.list({ project, environment });
      return new Set(list.map(({ name }) => name));
    }),
  );
  const names = [...new Set(known.flatMap((each) => [...each]))].toSorted();
  return names.map((name) => ({ name, set: known.map((each) => each.has(name)) }));
}

function refuseTwice(environments: readonly string[]): void {
  if (new Set(environments).size === environments.length) return;
  throw new EvenkeelError({
    code: 'bad-request',
    what: 'the request cannot be read',
    why: 'environments: one of them is named twice',
  });
}
