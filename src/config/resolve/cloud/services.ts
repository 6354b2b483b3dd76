import type { CloudService } from '../../../domain/cloud/config.ts';
import { DEFAULT_SERVICE } from '../../../domain/cloud/defaults.ts';
import { cloudName, NAME_LIMITS, urlVariableOf } from '../../../domain/cloud/names.ts';
import type { ServiceConfig } from '../../../domain/project/project.ts';
import type { WrittenService } from '../../schema/service.ts';
import type { CloudPlace } from './place.ts';

/** A service on Cloud Run, with every default applied. */
export function cloudService(
  config: ServiceConfig,
  written: WrittenService,
  place: CloudPlace,
  hasDatabase: boolean,
): CloudService {
  const { instances } = written;
  const range = typeof instances === 'object' ? instances : { min: instances, max: instances, concurrency: undefined };
  const cpu = written.resources?.cpu ?? DEFAULT_SERVICE.cpu;
  const dir = config.dir === '.' ? '' : `${config.dir}/`;
  return {
    service: config.name,
    name: cloudName(place.scope, config.name, NAME_LIMITS.service),
    public: written.public ?? (written.routes ?? []).length > 0,
    database: hasDatabase && written.database !== false,
    port: written.port ?? DEFAULT_SERVICE.port,
    memory: written.resources?.memory ?? DEFAULT_SERVICE.memory,
    cpu,
    minInstances: range.min ?? DEFAULT_SERVICE.minInstances,
    maxInstances: range.max ?? DEFAULT_SERVICE.maxInstances,
    timeoutS: written.timeout === undefined ? DEFAULT_SERVICE.timeoutS : Math.ceil(written.timeout / 1000),
    // Less than a whole core takes one request at a time, says Cloud Run.
    concurrency: written.concurrency ?? range.concurrency ?? (cpu < 1 ? 1 : DEFAULT_SERVICE.concurrency),
    health: config.health.path,
    dockerfile: written.dockerfile ?? `${dir}Dockerfile`,
    context: written.context ?? '.',
    image: written.image ?? null,
    env: config.env,
    urlVariable: written.urlVariable ?? urlVariableOf(config.name),
  };
}

/** Whether others find the address of this service in a variable: it answers, and all the time. */
export const isListed = (written: WrittenService): boolean =>
  written.static === undefined &&
  written.schedule === undefined &&
  (written.routes !== undefined || written.health !== undefined || written.urlVariable !== undefined);
