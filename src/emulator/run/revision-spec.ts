import { valuesOf } from './checks.ts';
import type { Engine } from './engine.ts';
import { StartFailure, type InstanceSpec } from './instance.ts';
import { launchOf } from './launch.ts';
import { placeOf } from './names.ts';
import { shortName } from './names.ts';
import type { Container, Program, Revision } from './shapes.ts';

/** The container that takes the requests; others, which run beside it on Cloud Run, are not run. */
export const servingContainer = (program: Program): Container =>
  program.containers?.find(({ ports }) => (ports?.length ?? 0) > 0) ?? program.containers?.[0] ?? {};

/** How the next instance of a revision is started. Throws a StartFailure when its image is gone. */
export async function instanceSpec(engine: Engine, revision: Revision): Promise<InstanceSpec> {
  const container = servingContainer(revision);
  const image = engine.images.find(container.image ?? '');
  if (image === null) throw new StartFailure('not-started', `Image '${container.image ?? ''}' not found.`);
  const { project } = placeOf(revision.name);
  const values = {
    ...engine.options.env,
    ...valuesOf(engine.world, container, project),
    K_SERVICE: revision.service,
    K_REVISION: shortName(revision.name),
    K_CONFIGURATION: revision.service,
  };
  const { startupMs, graceMs } = engine.options;
  return {
    launch: launchOf(image, container, await engine.onHost(values, revision), engine.host),
    probe: container.startupProbe,
    startupMs,
    graceMs,
    onLine: (stream, line, instance) => engine.logs.line(revision, stream, line, instance),
    remembered: engine.remembered,
  };
}
